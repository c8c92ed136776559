// SPDX-License-Identifier: Apache-2.0
// The longest common subsequence of lines (Wagner and Fischer 1974), after what both texts begin
// and end with was taken off.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "config/version.h"

namespace weir::config {
namespace {

using Lines = std::vector<std::string_view>;

constexpr std::size_t kContext = 3;
// More than this is told as one block: nobody reads it line by line.
constexpr std::size_t kTableMax = 4'000'000;

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return lines;
}

struct Step {
  char kind;  // ' ', '-' or '+'
  std::string_view line;
};

void add(std::vector<Step>& steps, char kind, const Lines& lines, std::size_t from,
         std::size_t until) {
  for (std::size_t i = from; i < until; ++i) steps.push_back({kind, lines[i]});
}

// The differing middles: [first, a_end) of a against [first, b_end) of b.
void add_middle(std::vector<Step>& steps, const Lines& a, const Lines& b, std::size_t first,
                std::size_t a_end, std::size_t b_end) {
  const std::size_t rows = a_end - first;
  const std::size_t columns = b_end - first;
  if ((rows + 1) * (columns + 1) > kTableMax) {
    add(steps, '-', a, first, a_end);
    add(steps, '+', b, first, b_end);
    return;
  }
  // common[r][c]: lines in common of what follows row r and column c
  std::vector<std::uint32_t> common((rows + 1) * (columns + 1), 0);
  const auto at = [&](std::size_t row, std::size_t column) -> std::uint32_t& {
    return common[row * (columns + 1) + column];
  };
  for (std::size_t row = rows; row-- > 0;) {
    for (std::size_t column = columns; column-- > 0;) {
      const bool same = a[first + row] == b[first + column];
      at(row, column) = same ? at(row + 1, column + 1) + 1
                             : std::max(at(row + 1, column), at(row, column + 1));
    }
  }
  std::size_t row = 0;
  std::size_t column = 0;
  while (row < rows && column < columns) {
    if (a[first + row] == b[first + column]) {
      steps.push_back({' ', a[first + row]});
      ++row, ++column;
    } else if (at(row + 1, column) >= at(row, column + 1)) {
      steps.push_back({'-', a[first + row++]});
    } else {
      steps.push_back({'+', b[first + column++]});
    }
  }
  add(steps, '-', a, first + row, a_end);
  add(steps, '+', b, first + column, b_end);
}

std::vector<Step> steps_between(const Lines& a, const Lines& b) {
  std::size_t first = 0;
  while (first < a.size() && first < b.size() && a[first] == b[first]) ++first;
  std::size_t a_end = a.size();
  std::size_t b_end = b.size();
  while (a_end > first && b_end > first && a[a_end - 1] == b[b_end - 1]) --a_end, --b_end;
  std::vector<Step> steps;
  add(steps, ' ', a, 0, first);
  add_middle(steps, a, b, first, a_end, b_end);
  add(steps, ' ', a, a_end, a.size());
  return steps;
}

std::vector<bool> shown_of(const std::vector<Step>& steps) {
  std::vector<bool> shown(steps.size(), false);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].kind == ' ') continue;
    const std::size_t from = i > kContext ? i - kContext : 0;
    const std::size_t until = std::min(steps.size(), i + kContext + 1);
    std::fill(shown.begin() + static_cast<std::ptrdiff_t>(from),
              shown.begin() + static_cast<std::ptrdiff_t>(until), true);
  }
  return shown;
}

std::string diff_of(std::string_view name, std::string_view before, std::string_view after) {
  const std::vector<Step> steps = steps_between(lines_of(before), lines_of(after));
  const std::vector<bool> shown = shown_of(steps);
  std::string out;
  std::size_t line = 1;  // of the text after
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool begins = shown[i] && (i == 0 || !shown[i - 1]);
    if (begins) out += fmt::format("@@ {}:{}\n", name, line);
    if (shown[i]) out += fmt::format("{}{}\n", steps[i].kind, steps[i].line);
    if (steps[i].kind != '-') ++line;
  }
  return out;
}

std::string_view text_of(const std::vector<SourceFile>& files, std::string_view name) {
  const auto found = std::ranges::find(files, name, &SourceFile::name);
  return found == files.end() ? std::string_view{} : std::string_view(found->text);
}

}  // namespace

std::string diff_lines(const std::vector<SourceFile>& before,
                       const std::vector<SourceFile>& after) {
  std::set<std::string> names;
  for (const SourceFile& file : before) names.insert(file.name);
  for (const SourceFile& file : after) names.insert(file.name);
  std::string out;
  for (const std::string& name : names)
    out += diff_of(name, text_of(before, name), text_of(after, name));
  return out;
}

}  // namespace weir::config
