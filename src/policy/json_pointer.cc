// SPDX-License-Identifier: Apache-2.0
#include "policy/json_pointer.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace weir::policy {
namespace {

Error no_pointer(std::string_view text, std::string_view why, std::string hint) {
  return Error{Code::invalid_argument,
               fmt::format("'{}' is no JSON pointer: {}", printable(text), why), std::move(hint)};
}

// "$.customer.email" and "customer.email" are other languages' words for "/customer/email".
std::string probably_meant(std::string_view text) {
  std::string meant(text);
  if (meant.starts_with("$")) meant.erase(0, 1);
  if (meant.starts_with(".")) meant.erase(0, 1);
  std::ranges::replace(meant, '.', '/');
  return fmt::format("did you mean '/{}'?", printable(meant));
}

// nullopt: a '~' that is neither "~0" nor "~1".
std::optional<std::string> unescaped(std::string_view step) {
  std::string name;
  for (std::size_t at = 0; at < step.size(); ++at) {
    if (step[at] != '~') {
      name += step[at];
      continue;
    }
    const char next = at + 1 < step.size() ? step[at + 1] : '\0';
    if (next != '0' && next != '1') return std::nullopt;
    name += next == '0' ? '~' : '/';
    ++at;
  }
  return name;
}

}  // namespace

Result<PointerPattern> parse_pointer(std::string_view text) {
  PointerPattern steps;
  if (text.empty()) return steps;
  if (!text.starts_with('/')) return no_pointer(text, "it starts with '/'", probably_meant(text));
  while (!text.empty()) {
    const std::string_view rest = text.substr(1);
    const std::string_view step = rest.substr(0, rest.find('/'));
    const auto name = unescaped(step);
    if (!name) return no_pointer(text, "'~' is written ~0", "and '/' within a name is written ~1");
    if (*name == "**")
      return no_pointer(text, "there is no '**'", "a rule 'member: NAME' holds at any depth");
    steps.push_back({step == "*" ? std::string() : *name, step == "*"});
    if (steps.size() > kPointerStepsMax)
      return no_pointer(text, fmt::format("it has more than {} steps", kPointerStepsMax), "");
    text.remove_prefix(1 + step.size());
  }
  return steps;
}

std::string to_text(const PointerPattern& pointer) {
  std::string text;
  for (const PointerStep& step : pointer) {
    text += '/';
    if (step.any) text += '*';
    for (const char c : step.name) {
      if (c == '~')
        text += "~0";
      else if (c == '/')
        text += "~1";
      else
        text += c;
    }
  }
  return text;
}

}  // namespace weir::policy
