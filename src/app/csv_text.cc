// SPDX-License-Identifier: Apache-2.0
#include "app/csv_text.h"

#include <algorithm>
#include <array>
#include <vector>

#include "app/json_text.h"
#include "base/text.h"

namespace weir::app {
namespace {

using wire::Json;
using wire::JsonType;

// In full width as well: some spreadsheets read them the same.
constexpr std::array<std::string_view, 10> kFormulas = {"=",  "+",  "-",  "@",  "\t",
                                                        "\r", "＝", "＋", "－", "＠"};

std::string quoted_cell(std::string_view text) {
  std::string out = "\"";
  const bool formula = std::ranges::any_of(
      kFormulas, [&](std::string_view start) { return text.starts_with(start); });
  if (formula) out += '\'';
  for (const char c : printable(text)) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

std::string value_text(Json value) {
  switch (value.type()) {
    case JsonType::null: return "";
    case JsonType::string: return value.string().empty() ? "" : quoted_cell(value.string());
    case JsonType::boolean:
    case JsonType::number: return std::string(value.raw());
    default: {
      std::string json = to_json_line(value);
      json.pop_back();  // its line feed
      return quoted_cell(json);
    }
  }
}

void add_columns(std::vector<std::string>& columns, Json item) {
  for (const Json member : item) {
    const std::string name(member.key());
    if (std::ranges::find(columns, name) == columns.end()) columns.push_back(name);
  }
}

void append_row(std::string& out, const std::vector<std::string>& columns, Json item) {
  for (const std::string& column : columns) {
    const auto member = item.find(column);
    if (&column != &columns.front()) out += ',';
    if (member) out += value_text(*member);
  }
  out += '\n';
}

}  // namespace

std::string to_csv(Json items, bool headers) {
  std::vector<Json> rows;
  if (items.is(JsonType::object)) rows.push_back(items);
  if (items.is(JsonType::array)) {
    for (const Json item : items) {
      if (item.is(JsonType::object)) rows.push_back(item);
    }
  }
  std::vector<std::string> columns;
  for (const Json row : rows) add_columns(columns, row);
  std::string out;
  if (columns.empty()) return out;
  for (std::size_t i = 0; headers && i < columns.size(); ++i)
    out += (i == 0 ? "" : ",") + quoted_cell(columns[i]);
  if (headers) out += '\n';
  for (const Json row : rows) append_row(out, columns, row);
  return out;
}

}  // namespace weir::app
