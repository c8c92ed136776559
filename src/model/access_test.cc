// SPDX-License-Identifier: Apache-2.0
#include "model/access.h"

#include <doctest/doctest.h>

namespace weir {

TEST_CASE("every role has a name and is found by it") {
  for (const Role role : kRoles) CHECK(parse_role(to_text(role)) == role);
  CHECK(parse_role("operator") == Role::operate);
  CHECK(parse_role("Admin") == std::nullopt);
  CHECK(parse_role("") == std::nullopt);
  CHECK(role_names().size() == std::size(kRoles));
}

TEST_CASE("bits that no role has are dropped") {
  const RoleSet roles{Role::viewer, Role::worker};
  CHECK(RoleSet::of_bits(roles.bits()) == roles);
  CHECK(RoleSet::of_bits(0xFF).bits() == 0x3F);
  CHECK(to_text(roles) == "viewer, worker");
}

TEST_CASE("a scope that names anything leaves out everything else") {
  CHECK(Scope{}.has_stream("a"));
  CHECK(Scope{}.has_flow("a"));
  const Scope one{.streams = {"a"}};
  CHECK(one.has_stream("a"));
  CHECK_FALSE(one.has_stream("b"));
  CHECK_FALSE(one.has_stream("A"));
  CHECK_FALSE(one.has_flow("a"));
  CHECK(to_text(Scope{.streams = {"a"}, .flows = {"x", "y"}}) == "stream a, flow x, flow y");
}

TEST_CASE("an id of a token has one spelling") {
  CHECK(parse_token_id("t7") == TokenId{7});
  CHECK(to_text(TokenId{7}) == "t7");
  for (const char* bad : {"", "t", "t0", "t07", "7", "T7", "t7 ", "t4294967296", "t-1"})
    CHECK(parse_token_id(bad) == std::nullopt);
}

TEST_CASE("a token is live until it expires or is revoked") {
  AccessToken token{.expires = WallTime{} + std::chrono::seconds{100}};
  const WallTime now = WallTime{} + std::chrono::seconds{99};
  CHECK(token.is_live(now));
  CHECK_FALSE(token.is_live(token.expires));
  token.revoked = now;
  CHECK_FALSE(token.is_live(now));
}

}  // namespace weir
