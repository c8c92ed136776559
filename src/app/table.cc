// SPDX-License-Identifier: Apache-2.0
#include "app/table.h"

#include <algorithm>

namespace weir::app {
namespace {

constexpr std::size_t kCutMin = 16;
constexpr std::size_t kGap = 2;

using Rows = std::vector<std::vector<std::string>>;

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

struct Shown {
  std::size_t column = 0;   // index into the columns
  std::size_t natural = 0;  // widest cell
  std::size_t least = 0;    // what it can be cut to
  std::size_t width = 0;    // decided
};

std::vector<Shown> measure(const std::vector<TableColumn>& columns, const Rows& rows,
                           bool headers) {
  std::vector<Shown> shown;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Shown one{.column = i, .natural = headers ? text_width(columns[i].title) : 0};
    for (const auto& row : rows) one.natural = std::max(one.natural, text_width(row[i]));
    one.least = columns[i].fit == Fit::cut ? std::min(one.natural, kCutMin) : one.natural;
    one.width = one.natural;
    shown.push_back(one);
  }
  return shown;
}

std::size_t total(const std::vector<Shown>& shown, std::size_t Shown::* part) {
  std::size_t sum = shown.empty() ? 0 : kGap * (shown.size() - 1);
  for (const Shown& one : shown) sum += one.*part;
  return sum;
}

void drop_columns(std::vector<Shown>& shown, const std::vector<TableColumn>& columns,
                  std::size_t width) {
  const auto rank = [&](const Shown& one) { return columns[one.column].drop; };
  while (total(shown, &Shown::least) > width) {
    // Of equal ranks the rightmost goes.
    auto victim = std::max_element(
        shown.rbegin(), shown.rend(),
        [&](const Shown& a, const Shown& b) { return rank(a) < rank(b); });
    if (victim == shown.rend() || rank(*victim) == 0) return;
    shown.erase(std::next(victim).base());
  }
}

// Takes one character after the other from the widest column that can give one.
void narrow_columns(std::vector<Shown>& shown, std::size_t width) {
  for (std::size_t sum = total(shown, &Shown::width); sum > width; --sum) {
    Shown* widest = nullptr;
    for (Shown& one : shown) {
      if (one.width > one.least && (widest == nullptr || one.width > widest->width)) widest = &one;
    }
    if (widest == nullptr) return;
    --widest->width;
  }
}

void append_line(std::string& out, const std::vector<Shown>& shown,
                 const std::vector<TableColumn>& columns, const std::vector<std::string>& cells) {
  std::string line;
  for (const Shown& one : shown) {
    if (&one != &shown.front()) line.append(kGap, ' ');
    const std::string cell = cut_to(cells[one.column], std::max<std::size_t>(one.width, 1));
    const std::string padding(one.width - std::min(one.width, text_width(cell)), ' ');
    line += columns[one.column].right ? padding + cell : cell + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + "\n";
}

}  // namespace

std::size_t text_width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, starts_character));
}

std::string cut_to(std::string_view text, std::size_t width) {
  if (text_width(text) <= width) return std::string(text);
  std::size_t bytes = 0;
  for (std::size_t characters = 0; bytes < text.size(); ++bytes) {
    if (starts_character(text[bytes]) && ++characters == width) break;
  }
  return std::string(text.substr(0, bytes)) + "…";
}

std::string render_table(const std::vector<TableColumn>& columns, const Rows& rows,
                         const TableStyle& style) {
  if (rows.empty()) return "";
  std::vector<Shown> shown = measure(columns, rows, style.headers);
  if (style.width > 0) {
    drop_columns(shown, columns, style.width);
    narrow_columns(shown, style.width);
  }
  std::string out;
  if (style.headers) {
    std::vector<std::string> titles;
    for (const TableColumn& column : columns) titles.push_back(column.title);
    append_line(out, shown, columns, titles);
    if (style.color) out = "\x1b[1m" + out.substr(0, out.size() - 1) + "\x1b[0m\n";
  }
  for (const auto& row : rows) append_line(out, shown, columns, row);
  return out;
}

}  // namespace weir::app
