// SPDX-License-Identifier: Apache-2.0
// One matcher at a time against a plain reading of what it means: the first line is the matcher's
// text, the second the value. Numbers are compared as the C library reads them.
#include <cmath>
#include <cstdlib>
#include <string>

#include "base/assert.h"
#include "base/text.h"
#include "input.h"
#include "policy/filter.h"
#include "policy/matcher.h"
#include "wire/json.h"

namespace {

using weir::policy::Filter;

bool filter_says(std::string_view matcher, std::string_view text, std::string_view value) {
  std::string pattern = R"({"subject":[{")";
  pattern.append(matcher).append(R"(":)");
  weir::wire::append_json_string(pattern, text);
  const auto filter = Filter::compile(pattern + "}]}");
  weir::Event event{.id = "1", .source = "/s", .type = "t", .subject = value};
  return filter.ok() && filter->matches(event);
}

// '*' is any text; there is no escape in `pattern`.
bool fits(std::string_view pattern, std::string_view value) {
  if (pattern.empty()) return value.empty();
  if (pattern[0] != '*')
    return !value.empty() && pattern[0] == value[0] && fits(pattern.substr(1), value.substr(1));
  for (std::size_t i = 0; i <= value.size(); ++i) {
    if (fits(pattern.substr(1), value.substr(i))) return true;
  }
  return false;
}

void check_texts(std::string_view text, std::string_view value) {
  WEIR_ASSERT(filter_says("prefix", text, value) == value.starts_with(text));
  WEIR_ASSERT(filter_says("suffix", text, value) == value.ends_with(text));
  WEIR_ASSERT(filter_says("equals-ignore-case", text, value) ==
              weir::equals_ignore_case(text, value));
  WEIR_ASSERT(filter_says("anything-but", text, value) == (text != value));
  const bool simple = text.find('\\') == text.npos && text.find("**") == text.npos;
  if (simple && !text.empty() && std::ranges::count(text, '*') <= 3)
    WEIR_ASSERT(filter_says("wildcard", text, value) == fits(text, value));
}

bool is_number(std::string_view text) {
  const auto document = weir::wire::parse_json(text);
  return document.ok() && document->root().is(weir::wire::JsonType::number);
}

void check_numbers(std::string_view a, std::string_view b) {
  WEIR_ASSERT(weir::policy::same_number(a, a));
  const bool same = weir::policy::same_number(a, b);
  WEIR_ASSERT(same == weir::policy::same_number(b, a));
  const double x = std::strtod(std::string(a).c_str(), nullptr);
  const double y = std::strtod(std::string(b).c_str(), nullptr);
  WEIR_ASSERT(!same || x == y);
}

}  // namespace

WEIR_FUZZ_TARGET(input) {
  if (input.size() > 256) return;
  const std::string_view text = weir::fuzz::take_line(input);
  const std::string_view value = input;
  if (is_number(text) && is_number(value)) check_numbers(text, value);
  if (weir::is_valid_utf8(input) && weir::is_valid_utf8(text) && !value.empty())
    check_texts(text, value);
}
