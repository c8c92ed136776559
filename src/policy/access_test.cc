// SPDX-License-Identifier: Apache-2.0
#include "policy/access.h"

#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

namespace weir::policy {
namespace {

constexpr Need kNeeds[] = {Need::open,   Need::read,       Need::operate, Need::approve,
                           Need::review, Need::administer, Need::produce, Need::work};

}  // namespace

TEST_CASE("nobody without a role may do anything but what is open") {
  for (const Need need : kNeeds) CHECK(may({}, need) == (need == Need::open));
}

TEST_CASE("an admin may do everything, the others only what their role is for") {
  struct Row {
    Role role;
    std::vector<Need> may;
  };
  const Row rows[] = {
      {Role::viewer, {Need::read}},
      {Role::operate, {Need::read, Need::operate, Need::review}},
      {Role::approver, {Need::read, Need::approve, Need::review}},
      {Role::admin,
       {Need::read, Need::operate, Need::approve, Need::review, Need::administer, Need::produce,
        Need::work}},
      {Role::producer, {Need::produce}},
      {Role::worker, {Need::work}},
  };
  CHECK(std::size(rows) == std::size(kRoles));
  for (const Row& row : rows) {
    CAPTURE(to_text(row.role));
    for (const Need need : kNeeds) {
      CAPTURE(to_text(need));
      const bool listed = std::ranges::find(row.may, need) != row.may.end();
      CHECK(may({row.role}, need) == (listed || need == Need::open));
    }
  }
}

TEST_CASE("a subject is one plain word") {
  for (const char* good : {"anna", "anna@example.org", "CI_7.build-1"}) CHECK(is_subject(good));
  for (const char* bad : {"", "a b", "a\"b", "a(b", "a\n", "\xC3\xA9", "local:anna"})
    CHECK_FALSE(is_subject(bad));
  CHECK(is_subject(std::string(64, 'a')));
  CHECK_FALSE(is_subject(std::string(65, 'a')));
}

TEST_CASE("roles add up") {
  const RoleSet both{Role::producer, Role::approver};
  CHECK(may(both, Need::produce));
  CHECK(may(both, Need::approve));
  CHECK(may(both, Need::read));
  CHECK_FALSE(may(both, Need::operate));
}

}  // namespace weir::policy
