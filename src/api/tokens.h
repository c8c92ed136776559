// SPDX-License-Identifier: Apache-2.0
// The access tokens: read from the store at the start, kept in memory, written through the store
// together with their audit entry. Only hashes are kept; a token's text exists when it is made and
// in the hands of whoever got it. I/O thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "model/access.h"
#include "ports/store.h"

namespace weir::api {

inline constexpr std::size_t kTokensMax = 1000;
inline constexpr Duration kTokenLasts = std::chrono::hours{24 * 90};
inline constexpr Duration kTokenLastsMax = std::chrono::hours{24 * 366};
inline constexpr std::size_t kScopeNamesMax = 64;  // streams and flows of one token

struct TokenWish {
  std::string name;
  std::string subject;
  RoleSet roles;
  Scope scope;
  Duration lasts = kTokenLasts;
};
// Letters, digits and . _ - @, at most 64 for name and subject; at least one role; a time to live
// above zero and up to kTokenLastsMax. invalid_argument otherwise.
Result<> check_wish(const TokenWish& wish);

// A token that is not in the store yet.
struct NewToken {
  AccessToken token;
  std::string text;  // shown once
};

struct Act {
  WallTime at{};
  std::string actor;
  std::string reason;
};

class Tokens {
 public:
  explicit Tokens(ports::Store& store) : store_(store) {}
  async::Task<Result<>> start();

  // Two steps, so that the text can be put somewhere safe before the token counts. `secret`: see
  // wire/token_text.h.
  NewToken prepare(TokenWish wish, std::string_view secret, WallTime now);
  // From now on it is valid. too_many_tokens when kTokensMax are live; otherwise the one that has
  // been of no use for longest makes room.
  async::Task<Result<>> put(AccessToken token, Act act);
  // Is refused at once, before the store has it, and stays so if the store fails; answers only once
  // it is durable, whoever asks again, too. Errors: unknown_token, those of the store.
  async::Task<Result<AccessToken>> revoke(TokenId id, Act act);

  // The token that this is the text of: unauthenticated, token_expired, token_revoked otherwise.
  Result<const AccessToken*> check(std::string_view text, WallTime now);
  bool is_live(TokenId id, WallTime now) const;
  bool has_live_admin(WallTime now) const;
  // It is refused, but the store may not have it: after a crash it could be live again.
  bool is_revoking(TokenId id) const { return revoking_.contains(id); }

  const std::map<TokenId, AccessToken>& all() const { return tokens_; }
  // Since the process started; epoch zero = not.
  WallTime last_used(TokenId id) const;

 private:
  // What somebody began and the store has not confirmed.
  struct Revoking {
    WallTime at{};
    bool committing = false;  // false: it failed, and the next one who asks does all of it again
  };
  static Error not_durable(TokenId id, const Error& cause);
  bool is_refused(const AccessToken& token) const;

  ports::Store& store_;
  std::map<TokenId, AccessToken> tokens_;
  std::map<TokenId, Revoking> revoking_;
  std::map<TokenId, WallTime> last_used_;
  TokenId last_;
};

}  // namespace weir::api
