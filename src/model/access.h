// SPDX-License-Identifier: Apache-2.0
// Who may do what, as plain data: roles, what a token is limited to, and a token as it is stored.
#pragma once

#include <compare>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace weir {

// operate is written `operator`.
enum class Role : std::uint8_t { viewer, operate, approver, admin, producer, worker };

inline constexpr Role kRoles[] = {Role::viewer, Role::operate,  Role::approver,
                                  Role::admin,  Role::producer, Role::worker};

std::string_view to_text(Role role);
std::optional<Role> parse_role(std::string_view text);
const std::vector<std::string>& role_names();

class RoleSet {
 public:
  constexpr RoleSet() = default;
  constexpr RoleSet(std::initializer_list<Role> roles) {
    for (const Role role : roles) add(role);
  }
  constexpr void add(Role role) { bits_ |= bit(role); }
  constexpr bool has(Role role) const { return (bits_ & bit(role)) != 0; }
  constexpr bool meets(RoleSet other) const { return (bits_ & other.bits_) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr std::uint8_t bits() const { return bits_; }
  static constexpr RoleSet of_bits(std::uint8_t bits) {
    RoleSet roles;
    for (const Role role : kRoles) {
      if ((bits & bit(role)) != 0) roles.add(role);
    }
    return roles;
  }
  auto operator<=>(const RoleSet&) const = default;

 private:
  static constexpr std::uint8_t bit(Role role) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(role));
  }
  std::uint8_t bits_ = 0;
};

std::string to_text(RoleSet roles);  // "viewer, operator"

// The streams and flows that somebody may touch. Nothing named is no limit; as soon as one is
// named, whatever is not named is out of reach.
struct Scope {
  std::vector<std::string> streams;
  std::vector<std::string> flows;

  bool is_all() const { return streams.empty() && flows.empty(); }
  bool has_stream(std::string_view name) const;
  bool has_flow(std::string_view name) const;
  bool operator==(const Scope&) const = default;
};
std::string to_text(const Scope& scope);  // "stream github, flow sync-issues"; "" for all

using TokenId = StrongId<struct TokenTag>;  // written t1, t2, ...
std::string to_text(TokenId id);
std::optional<TokenId> parse_token_id(std::string_view text);

// What is kept of a token. The token itself is shown once and nowhere stored: `hash` is its
// SHA-256, which suffices because 256 random bits cannot be guessed from any hash, fast or slow.
struct AccessToken {
  TokenId id;
  std::string name;     // "laptop"
  std::string subject;  // the person or program that it belongs to, "anna"
  RoleSet roles;
  Scope scope;
  WallTime created{};
  WallTime expires{};
  WallTime revoked{};  // epoch zero = not
  std::string hash;    // 32 bytes

  bool is_live(WallTime now) const { return revoked == WallTime{} && now < expires; }
  bool operator==(const AccessToken&) const = default;
};

}  // namespace weir
