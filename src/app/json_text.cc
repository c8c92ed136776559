// SPDX-License-Identifier: Apache-2.0
#include "app/json_text.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "wire/visible_json.h"

namespace weir::app {
namespace {

using wire::Json;
using wire::JsonType;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_string(std::string& out, std::string_view text) {
  std::string quoted;
  wire::append_json_string(quoted, text);
  out += wire::visible_json(quoted);
}

void append_scalar(std::string& out, Json value) {
  if (value.is(JsonType::string)) return append_string(out, value.string());
  out += value.raw();
}

bool is_container(Json value) { return value.is(JsonType::array) || value.is(JsonType::object); }

// `step` blanks per level; 0 = everything on one line. The depth is bounded by the reader's.
void append_json(std::string& out, Json value, std::size_t step, std::size_t depth) {
  if (!is_container(value)) return append_scalar(out, value);
  const bool object = value.is(JsonType::object);
  out += object ? '{' : '[';
  bool first = true;
  for (const Json item : value) {
    if (!first) out += ',';
    first = false;
    if (step > 0) out += "\n" + std::string(step * (depth + 1), ' ');
    if (object) {
      append_string(out, item.key());
      out += step > 0 ? ": " : ":";
    }
    append_json(out, item, step, depth + 1);
  }
  if (step > 0 && !first) out += "\n" + std::string(step * depth, ' ');
  out += object ? '}' : ']';
}

// Whether YAML reads the bare text as this very string, in the core schema and in YAML 1.1 readers.
bool is_plain_yaml(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kReserved = {
      "null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  if (text.empty() || (!is_letter(text.front()) && text.front() != '/')) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool last = i + 1 == text.size();
    if (is_letter(c) || is_digit(c) || std::string_view("_./@+-").find(c) != std::string_view::npos)
      continue;
    if (c == ' ' && !last) continue;
    if (c == '#' && text[i - 1] != ' ') continue;
    if (c == ':' && !last && text[i + 1] != ' ') continue;
    return false;
  }
  return std::ranges::find(kReserved, to_lower(text)) == kReserved.end();
}

void append_yaml_text(std::string& out, std::string_view text) {
  if (is_plain_yaml(text)) {
    out += text;
  } else {
    append_string(out, text);
  }
}

// `at_start` = the cursor stands where the first line of a container may begin, as after "- ".
void append_yaml(std::string& out, Json value, std::size_t indent, bool at_start) {
  if (!is_container(value)) {
    if (value.is(JsonType::string)) return append_yaml_text(out, value.string());
    return append_scalar(out, value);
  }
  if (value.size() == 0) {
    out += value.is(JsonType::object) ? "{}" : "[]";
    return;
  }
  bool fresh = at_start;
  for (const Json item : value) {
    if (!fresh) out += "\n" + std::string(indent, ' ');
    fresh = false;
    if (value.is(JsonType::array)) {
      out += "- ";
      append_yaml(out, item, indent + 2, true);
      continue;
    }
    append_yaml_text(out, item.key());
    out += ':';
    const bool block = is_container(item) && item.size() > 0;
    if (!block) out += ' ';
    append_yaml(out, item, item.is(JsonType::array) ? indent : indent + 2, false);
  }
}

}  // namespace

std::string to_pretty_json(Json value) {
  std::string out;
  append_json(out, value, 2, 0);
  return out + "\n";
}

std::string to_json_line(Json value) {
  std::string out;
  append_json(out, value, 0, 0);
  return out + "\n";
}

std::string to_yaml(Json value) {
  std::string out;
  append_yaml(out, value, 0, true);
  return out + "\n";
}

}  // namespace weir::app
