// SPDX-License-Identifier: Apache-2.0
#include "api/origin.h"

#include <doctest/doctest.h>

namespace weir::api {

TEST_CASE("only pages of this very server, under a name of this machine, may call it") {
  struct Row {
    std::string_view origin;
    std::string_view host;
    bool allowed;
  };
  const Row rows[] = {
      {"", "weir.internal:8600", true},  // no browser
      {"http://127.0.0.1:8600", "127.0.0.1:8600", true},
      {"http://localhost:8600", "localhost:8600", true},
      {"http://LOCALHOST", "localhost", true},
      {"http://[::1]:8600", "[::1]:8600", true},
      {"http://evil.example", "127.0.0.1:8600", false},
      {"http://localhost:3000", "localhost:8600", false},
      {"https://localhost:8600", "localhost:8600", false},
      {"null", "127.0.0.1:8600", false},
      {"http://evil.example:8600", "evil.example:8600", false},  // DNS rebinding
      {"http://127.0.0.1.evil.example", "127.0.0.1.evil.example", false},
      {"http://", "", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.origin);
    CAPTURE(row.host);
    CHECK(check_origin(row.origin, row.host).ok() == row.allowed);
  }
}

}  // namespace weir::api
