// SPDX-License-Identifier: Apache-2.0
#include "api/tokens.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/seeded_bug.h"
#include "base/text.h"
#include "policy/access.h"
#include "wire/digest.h"
#include "wire/token_text.h"

namespace weir::api {
namespace {

Result<> check_label(std::string_view what, std::string_view text) {
  if (policy::is_subject(text)) return {};
  return Error{Code::invalid_argument, fmt::format("'{}' is no {}", printable(text), what),
               "letters, digits and . _ - @, at most 64"};
}

AuditEntry audit_of(const AccessToken& token, std::string action, Act act) {
  std::string detail = fmt::format("{} of {}: {}", token.name, token.subject, to_text(token.roles));
  if (!token.scope.is_all()) detail += fmt::format("; only {}", to_text(token.scope));
  detail += fmt::format("; until {}", to_rfc3339(token.expires));
  return {.at = act.at,
          .actor = std::move(act.actor),
          .action = std::move(action),
          .target = to_text(token.id),
          .reason = std::move(act.reason),
          .detail = std::move(detail)};
}

// Since when it has been of no use.
WallTime dead_since(const AccessToken& token) {
  return token.revoked == WallTime{} ? token.expires : std::min(token.revoked, token.expires);
}

}  // namespace

Result<> check_wish(const TokenWish& wish) {
  WEIR_CHECK(check_label("name of a token", wish.name));
  WEIR_CHECK(check_label("subject", wish.subject));
  if (wish.roles.empty())
    return Error{Code::invalid_argument, "a token needs a role", did_you_mean("", role_names())};
  if (wish.lasts <= Duration::zero() || wish.lasts > kTokenLastsMax)
    return Error{Code::invalid_argument, "a token expires after more than 0 and at most 366 d", ""};
  if (wish.scope.streams.size() + wish.scope.flows.size() > kScopeNamesMax)
    return Error{Code::invalid_argument,
                 fmt::format("a token names at most {} streams and flows", kScopeNamesMax), ""};
  return {};
}

async::Task<Result<>> Tokens::start() {
  auto stored = co_await store_.flows().tokens();
  if (!stored.ok()) co_return stored.error();
  for (AccessToken& token : *stored) {
    last_ = std::max(last_, token.id);
    tokens_.insert_or_assign(token.id, std::move(token));
  }
  co_return Result<>{};
}

NewToken Tokens::prepare(TokenWish wish, std::string_view secret, WallTime now) {
  last_ = TokenId{last_.value + 1};
  NewToken made{.text = wire::write_token(last_, secret)};
  made.token = {.id = last_,
                .name = std::move(wish.name),
                .subject = std::move(wish.subject),
                .roles = wish.roles,
                .scope = std::move(wish.scope),
                .created = now,
                .expires = now + wish.lasts,
                .hash = wire::sha256_bytes(made.text)};
  return made;
}

async::Task<Result<>> Tokens::put(AccessToken token, Act act) {
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  std::optional<TokenId> dropped;
  if (tokens_.size() >= kTokensMax) {
    const auto oldest = std::ranges::min_element(
        tokens_, {}, [](const auto& entry) { return dead_since(entry.second); });
    if (oldest->second.is_live(act.at)) {
      co_return Error{Code::too_many_tokens, fmt::format("there are {} tokens", tokens_.size()),
                      "revoke those that nobody uses: `weir auth token list`"};
    }
    dropped = oldest->first;
    batch.mutations.emplace_back(ports::DropToken{*dropped});
  }
  batch.mutations.emplace_back(ports::PutToken{token});
  batch.mutations.emplace_back(ports::AddAudit{audit_of(token, "token.create", std::move(act))});
  auto written = co_await store_.writer().commit(std::move(batch));
  if (!written.ok()) co_return written.error();
  if (dropped) tokens_.erase(*dropped);
  tokens_.insert_or_assign(token.id, std::move(token));
  co_return Result<>{};
}

async::Task<Result<AccessToken>> Tokens::revoke(TokenId id, Act act) {
  const auto found = tokens_.find(id);
  if (found == tokens_.end()) {
    co_return Error{Code::unknown_token, fmt::format("there is no token {}", to_text(id)),
                    "`weir auth token list` shows those there are"};
  }
  AccessToken token = found->second;
  while (token.revoked == WallTime{}) {
    const bool repeats = revoking_.contains(id) && revoking_[id].committing;
    if (!repeats) revoking_[id] = {.at = act.at, .committing = true};
    AccessToken over = token;
    over.revoked = revoking_[id].at;
    ports::WriteBatch batch{.lane = ports::Lane::operate};
    batch.mutations.emplace_back(ports::PutToken{over});
    // Batches of a lane commit in order: once a repeat's is durable, so is the one before it, which
    // has the audit entry.
    if (!repeats)
      batch.mutations.emplace_back(ports::AddAudit{audit_of(over, "token.revoke", act)});
    auto written = co_await store_.writer().commit(std::move(batch));
    const auto mark = revoking_.find(id);
    if (!written.ok()) {
      if (!repeats && mark != revoking_.end()) mark->second.committing = false;
      co_return not_durable(id, written.error());
    }
    // The one that had the audit entry failed meanwhile: all of it again.
    if (repeats && mark != revoking_.end() && !mark->second.committing) continue;
    if (const auto known = tokens_.find(id); known != tokens_.end()) known->second = over;
    revoking_.erase(id);
    token = std::move(over);
  }
  co_return token;
}

Error Tokens::not_durable(TokenId id, const Error& cause) {
  return {cause.code,
          fmt::format("{} is refused from now on, but that is not durable yet: after a restart it "
                      "could be valid again: {}",
                      to_text(id), cause.detail),
          "revoke it again as soon as the store works"};
}

bool Tokens::is_refused(const AccessToken& token) const {
  return token.revoked != WallTime{} || revoking_.contains(token.id);
}

Result<const AccessToken*> Tokens::check(std::string_view text, WallTime now) {
  const std::optional<TokenId> id = wire::read_token(text);
  if (!id) {
    return Error{Code::unauthenticated, "this is no whole token of Weir",
                 "check that it was copied from weir_ to its last character"};
  }
  const auto found = tokens_.find(*id);
  const std::string hash = wire::sha256_bytes(text);
  static const std::string kNoHash(32, '\0');
  const bool same = wire::equal_secrets(hash,
                                        found == tokens_.end() ? kNoHash : found->second.hash);
  if (!same || found == tokens_.end())
    return Error{Code::unauthenticated, "nobody has this token", "it may belong to another Weir"};
  const AccessToken& token = found->second;
  if (is_refused(token) && !WEIR_SEEDED_BUG("tokens.revoked_still_good")) {
    const auto mark = revoking_.find(token.id);
    const WallTime since = mark == revoking_.end() ? token.revoked : mark->second.at;
    return Error{Code::token_revoked,
                 fmt::format("{} was revoked {}", to_text(token.id), to_rfc3339(since)),
                 "ask an admin for another one"};
  }
  if (now >= token.expires && !WEIR_SEEDED_BUG("tokens.expired_still_good")) {
    return Error{Code::token_expired,
                 fmt::format("{} has expired {}", to_text(token.id), to_rfc3339(token.expires)),
                 "an admin makes another one: `weir auth token create`"};
  }
  last_used_[token.id] = now;
  return &token;
}

bool Tokens::is_live(TokenId id, WallTime now) const {
  const auto found = tokens_.find(id);
  return found != tokens_.end() && found->second.is_live(now) && !is_revoking(id);
}

bool Tokens::has_live_admin(WallTime now) const {
  return std::ranges::any_of(tokens_, [&](const auto& entry) {
    const AccessToken& token = entry.second;
    return is_live(token.id, now) && token.roles.has(Role::admin) && token.scope.is_all();
  });
}

WallTime Tokens::last_used(TokenId id) const {
  const auto found = last_used_.find(id);
  return found == last_used_.end() ? WallTime{} : found->second;
}

}  // namespace weir::api
