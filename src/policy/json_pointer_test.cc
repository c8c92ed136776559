// SPDX-License-Identifier: Apache-2.0
#include "policy/json_pointer.h"

#include "policy/testing/property.h"

namespace weir::policy {
namespace {

TEST_CASE("pointers, with escapes and wildcards") {
  const std::pair<const char*, PointerPattern> rows[] = {
      {"", {}},
      {"/", {{""}}},
      {"/a", {{"a"}}},
      {"/a/b c/0", {{"a"}, {"b c"}, {"0"}}},
      {"/a~1b/m~0n/~01", {{"a/b"}, {"m~n"}, {"~1"}}},
      {"/cards/*/number", {{"cards"}, {"", true}, {"number"}}},
      {"/a*/*b", {{"a*"}, {"*b"}}},
      {"/größe/名", {{"größe"}, {"名"}}},
      {"/a//b", {{"a"}, {""}, {"b"}}},
  };
  for (const auto& [text, wanted] : rows) {
    CAPTURE(text);
    const auto pointer = parse_pointer(text);
    REQUIRE(pointer.ok());
    CHECK(*pointer == wanted);
  }
}

TEST_CASE("what is no pointer is refused with what was probably meant") {
  const struct {
    std::string text;
    const char* detail;
    const char* hint;
  } rows[] = {
      {"customer.email", "'customer.email' is no JSON pointer: it starts with '/'",
       "did you mean '/customer/email'?"},
      {"$.customer.email", "'$.customer.email' is no JSON pointer: it starts with '/'",
       "did you mean '/customer/email'?"},
      {"/a~b", "'/a~b' is no JSON pointer: '~' is written ~0",
       "and '/' within a name is written ~1"},
      {"/a~", "'/a~' is no JSON pointer: '~' is written ~0", "and '/' within a name is written ~1"},
      {"/**/email", "'/**/email' is no JSON pointer: there is no '**'",
       "a rule 'member: NAME' holds at any depth"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto pointer = parse_pointer(row.text);
    REQUIRE_FALSE(pointer.ok());
    CHECK(pointer.error().detail == row.detail);
    CHECK(pointer.error().hint == row.hint);
  }
  std::string deep;
  for (std::size_t i = 0; i < kPointerStepsMax; ++i) deep += "/a";
  CHECK(parse_pointer(deep).ok());
  CHECK_FALSE(parse_pointer(deep + "/a").ok());
}

}  // namespace
}  // namespace weir::policy
