// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <set>
#include <span>
#include <string>

#include <doctest/doctest.h>

namespace weir {
namespace {

std::span<const CodeRow> catalogue() {
  const auto [rows, count] = all_codes();
  return {rows, count};
}

bool is_snake_case(std::string_view name) {
  return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == name.npos;
}

TEST_CASE("every code has one row, with its own id and name") {
  std::set<std::string_view> ids, names;
  for (const CodeRow& row : catalogue()) {
    CAPTURE(row.id);
    CHECK(&describe(row.code) == &row);
    CHECK(ids.insert(row.id).second);
    CHECK(names.insert(row.name).second);
    CHECK(is_snake_case(row.name));
  }
  CHECK(ids.size() >= 44);
}

TEST_CASE("ids are WR and four digits, and their family says where they belong") {
  for (const CodeRow& row : catalogue()) {
    CAPTURE(row.id);
    REQUIRE(row.id.size() == 6);
    CHECK(row.id.substr(0, 3) == "WR1");
    CHECK(row.id.find_first_not_of("0123456789", 2) == row.id.npos);
    CHECK(row.id[3] <= '8');
  }
}

TEST_CASE("the http status is one of an error, and what may succeed later says so by it") {
  for (const CodeRow& row : catalogue()) {
    CAPTURE(row.id);
    CHECK(row.http >= 400);
    CHECK(row.http <= 599);
    if (row.retryable) CHECK((row.http == 503 || row.http == 408));
    CHECK_FALSE(row.title.empty());
    CHECK(row.title.find('\n') == row.title.npos);
  }
}

TEST_CASE("published codes stay what they are") {
  CHECK(describe(Code::internal).id == "WR1001");
  CHECK(describe(Code::malformed_json).id == "WR1101");
  CHECK(describe(Code::event_conflict).http == 409);
  CHECK(describe(Code::unknown_stream).id == "WR1201");
  CHECK(describe(Code::config_invalid).id == "WR1301");
  CHECK(describe(Code::store_full).id == "WR1405");
  CHECK(describe(Code::store_full).retryable);
  CHECK(describe(Code::wrong_state).id == "WR1502");
  CHECK(describe(Code::address_in_use).id == "WR1601");
}

TEST_CASE("an error as text names its code, and its hint on a line of its own") {
  CHECK(to_text(Error{Code::unknown_stream, "unknown stream 'githb'", "did you mean 'github'?"}) ==
        "error[WR1201]: unknown stream 'githb'\nhint: did you mean 'github'?");
  CHECK(to_text(Error{Code::unknown_stream, "unknown stream 'x'", ""}) ==
        "error[WR1201]: unknown stream 'x'");
  CHECK(to_text(Error{Code::unknown_stream, "", ""}) == "error[WR1201]: unknown stream");
}

}  // namespace
}  // namespace weir
