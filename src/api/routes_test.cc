// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "api/api.h"

namespace weir::api {
namespace {

policy::Need need_of(std::string_view method, std::string_view pattern) {
  for (const Api::Route& route : Api::routes()) {
    if (route.method == method && route.pattern == pattern) return route.need;
  }
  FAIL("no such route");
  return {};
}

}  // namespace

TEST_CASE("what takes a selection, which may ask about what is redacted, takes who may reveal it") {
  const policy::Need reveal = need_of("POST", "/v1/events/{ref}/reveal");
  CHECK(reveal == policy::Need::operate);
  for (const std::string_view pattern :
       {"/v1/replays", "/v1/quarantine/resolve", "/v1/quarantine/discard", "/v1/quarantine/archive",
        "/v1/quarantine/restore"}) {
    CHECK_MESSAGE(need_of("POST", pattern) == reveal, pattern);
  }
}

}  // namespace weir::api
