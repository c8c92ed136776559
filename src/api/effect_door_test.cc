// SPDX-License-Identifier: Apache-2.0
#include "api/effect_door.h"

#include <doctest/doctest.h>

namespace weir::api {
namespace {

Result<effects::EffectRequest> read(std::string_view path) {
  net::HttpRequest request;
  request.method = "POST";
  request.path = "/effects/bank" + std::string(path);
  request.headers = {{"weir-token", "t"}};
  return read_effect_request(std::move(request));
}

}  // namespace

TEST_CASE("a path that would leave the dependency's url is refused, however it is spelled") {
  for (const std::string_view path :
       {"/../b", "/a/.", "/a/%2e%2e/b", "/a/..;/b", "/a/..;v=1/b", "/a/.;/b", "/a/%2E%2e%3b/b",
        "/a/..%3Bx", "/a%2f..", "/a/..%5cb"}) {
    CAPTURE(path);
    const auto effect = read(path);
    REQUIRE_FALSE(effect.ok());
    CHECK(effect.error().code == Code::invalid_argument);
  }
  for (const std::string_view path : {"/a/...", "/a/..b;c", "/a;v=../b", "/a/;..", "/a/b..;", ""}) {
    CAPTURE(path);
    CHECK(read(path).ok());
  }
}

}  // namespace weir::api
