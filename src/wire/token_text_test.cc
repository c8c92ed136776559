// SPDX-License-Identifier: Apache-2.0
#include "wire/token_text.h"

#include <doctest/doctest.h>

namespace weir::wire {

TEST_CASE("a token is read back, and its text has no padding") {
  const std::string secret(32, '\xFB');
  const std::string text = write_token(TokenId{12}, secret);
  CHECK(text.starts_with("weir_t12_-_v7-_v7"));
  CHECK(text.size() == 9 + 43 + 6);
  CHECK(text.find_first_of("+/= ") == text.npos);
  CHECK(read_token(text) == TokenId{12});
  CHECK(write_token(TokenId{12}, std::string(32, '\0')) != text);
}

TEST_CASE("any changed, missing or added character is found") {
  const std::string text = write_token(TokenId{3}, std::string(32, 'x'));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CHECK(read_token(changed) == std::nullopt);
    CHECK(read_token(text.substr(0, i)) == std::nullopt);
  }
  CHECK(read_token(text + "A") == std::nullopt);
  CHECK(read_token(" " + text) == std::nullopt);
  CHECK(read_token("") == std::nullopt);
  CHECK(read_token("weir_") == std::nullopt);
  CHECK(read_token("weir_t1_") == std::nullopt);
}

}  // namespace weir::wire
