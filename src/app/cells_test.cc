// SPDX-License-Identifier: Apache-2.0
#include "app/cells.h"

#include <doctest/doctest.h>

namespace weir::app {
namespace {

const WallTime kNow = *parse_rfc3339("2026-11-21T14:00:00Z");

TEST_CASE("ages are one number with one unit") {
  struct Case {
    std::string_view time;
    std::string_view text;
  };
  const Case cases[] = {
      {"2026-11-21T14:00:00.400Z", "just now"}, {"2026-11-21T13:59:59.500Z", "just now"},
      {"2026-11-21T13:59:48Z", "12 s ago"},     {"2026-11-21T13:59:00Z", "1 min ago"},
      {"2026-11-21T13:00:01Z", "59 min ago"},   {"2026-11-21T12:00:00Z", "2 h ago"},
      {"2026-11-16T14:00:00Z", "5 d ago"},      {"2026-11-21T14:00:20Z", "in 20 s"},
      {"2026-11-21T16:10:00Z", "in 2 h"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.time);
    CHECK(ago(*parse_rfc3339(one.time), kNow) == one.text);
  }
}

TEST_CASE("numbers, nouns and sizes") {
  CHECK(counted(1, "delivery") == "1 delivery");
  CHECK(counted(2, "delivery") == "2 deliveries");
  CHECK(counted(1204, "event") == "1,204 events");
  CHECK(human_bytes(1023) == "1023 B");
  CHECK(human_bytes(4'404'019) == "4.2 MiB");
}

TEST_CASE("cells read members, also nested ones") {
  const auto document = wire::parse_json(
      R"({"title":"a\u001b[31mb","open":1204,"counts":{"sent":7,"none":null},"last":"2026-11-21T13:57:00Z",)"
      R"("ready":true,"rate":12.50,"list":[1,2],"bad":"soon","empty":"","size":2048})");
  REQUIRE(document.ok());
  const wire::Json row = document->root();
  struct Case {
    std::string_view path;
    CellKind kind;
    std::string_view text;
  };
  const Case cases[] = {
      {"title", CellKind::text, "a\\u{1b}[31mb"}, {"open", CellKind::count, "1,204"},
      {"counts.sent", CellKind::count, "7"},      {"counts.none", CellKind::count, "-"},
      {"counts.absent", CellKind::count, "-"},    {"open.sent", CellKind::text, "-"},
      {"last", CellKind::age, "3 min ago"},       {"bad", CellKind::age, "soon"},
      {"ready", CellKind::text, "yes"},           {"rate", CellKind::share, "12.5"},
      {"list", CellKind::text, "[1,2]"},          {"empty", CellKind::text, "-"},
      {"size", CellKind::bytes, "2.0 KiB"},       {"title", CellKind::count, "a\\u{1b}[31mb"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.path);
    CHECK(cell(row, one.path, one.kind, kNow) == one.text);
  }
  CHECK(text_at(row, "title") == "a\x1b[31mb");
  CHECK(text_at(row, "open") == "");
  CHECK(count_at(row, "counts.sent") == 7);
  CHECK(count_at(row, "rate") == 0);
  CHECK(flag_at(row, "ready"));
  CHECK_FALSE(flag_at(row, "open"));
}

}  // namespace
}  // namespace weir::app
