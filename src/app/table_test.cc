// SPDX-License-Identifier: Apache-2.0
#include "app/table.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace weir::app {
namespace {

const std::vector<TableColumn> kColumns = {
    {.title = "GROUP"},
    {.title = "OPEN", .right = true},
    {.title = "TITLE", .fit = Fit::cut},
    {.title = "FIRST", .drop = 2},
    {.title = "LAST", .drop = 1},
};
const std::vector<std::vector<std::string>> kRows = {
    {"9ad1", "1204", "tracker did not answer in time", "2 h ago", "3 min ago"},
    {"07fc", "2", "urn:tracker:missing", "5 d ago", "4 d ago"},
};

std::size_t widest_line(const std::string& text) {
  std::size_t widest = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    widest = std::max(widest, text_width(std::string_view(text).substr(at, end - at)));
    at = end + 1;
  }
  return widest;
}

TEST_CASE("a table aligns text left and numbers right") {
  CHECK(render_table(kColumns, kRows, {}) ==
        "GROUP  OPEN  TITLE                           FIRST    LAST\n"
        "9ad1   1204  tracker did not answer in time  2 h ago  3 min ago\n"
        "07fc      2  urn:tracker:missing             5 d ago  4 d ago\n");
}

TEST_CASE("a narrow terminal first shortens, then drops columns") {
  CHECK(render_table(kColumns, kRows, {.width = 56}) ==
        "GROUP  OPEN  TITLE                    FIRST    LAST\n"
        "9ad1   1204  tracker did not answer…  2 h ago  3 min ago\n"
        "07fc      2  urn:tracker:missing      5 d ago  4 d ago\n");
  CHECK(render_table(kColumns, kRows, {.width = 44}) ==
        "GROUP  OPEN  TITLE                 LAST\n"
        "9ad1   1204  tracker did not ans…  3 min ago\n"
        "07fc      2  urn:tracker:missing   4 d ago\n");
}

TEST_CASE("columns that must stay are never cut") {
  const std::string text = render_table(kColumns, kRows, {.width = 5});
  CHECK(text.find("9ad1   1204") != text.npos);
  CHECK(text.find("ago") == text.npos);
}

TEST_CASE("headers can be left out, and no rows are no text") {
  CHECK(render_table(kColumns, kRows, {.headers = false}).starts_with("9ad1  1204"));
  CHECK(render_table(kColumns, {}, {}) == "");
  CHECK(render_table(kColumns, kRows, {.color = true}).starts_with("\x1b[1mGROUP"));
}

TEST_CASE("cutting counts characters and keeps them whole") {
  CHECK(cut_to("grüße", 5) == "grüße");
  CHECK(cut_to("grüße", 4) == "grü…");
  CHECK(cut_to("grüße", 1) == "…");
}

TEST_CASE("a table fits whenever its whole columns do") {
  rc::check("fits", [](const std::vector<std::string>& raw) {
    std::vector<std::vector<std::string>> rows;
    for (const std::string& text : raw) {
      std::string plain;
      for (const char c : text)
        plain += static_cast<char>('a' + static_cast<unsigned char>(c) % 26);
      rows.push_back({"id", "1", plain, plain.substr(0, 7), "now"});
    }
    const auto width = *rc::gen::inRange<std::size_t>(5 + 2 + 4 + 2 + 16, 120);
    RC_ASSERT(widest_line(render_table(kColumns, rows, {.width = width})) <= width);
  });
}

}  // namespace
}  // namespace weir::app
