// SPDX-License-Identifier: Apache-2.0
// tracestate and baggage: comma-separated lists whose members must be looked at before they are
// passed on.
#include <algorithm>
#include <vector>

#include "wire/trace_context.h"

namespace weir::wire {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The next member, without blanks around it; `rest` loses it and its comma.
std::string_view take_member(std::string_view& rest) {
  const std::string_view member = rest.substr(0, rest.find(','));
  rest.remove_prefix(std::min(member.size() + 1, rest.size()));
  return trimmed(member);
}

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_state_key(std::string_view key) {
  static constexpr std::string_view kOthers = "_-*/@";
  const auto fits = [](char c) { return is_lower_or_digit(c) || kOthers.contains(c); };
  return !key.empty() && key.size() <= 256 && is_lower_or_digit(key.front()) &&
         std::ranges::all_of(key, fits);
}

bool is_state_value(std::string_view value) {
  const auto fits = [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; };
  return !value.empty() && value.size() <= 256 && value.back() != ' ' &&
         std::ranges::all_of(value, fits);
}

std::size_t joined_size(const std::vector<std::string_view>& members) {
  std::size_t size = members.empty() ? 0 : members.size() - 1;
  for (const std::string_view member : members) size += member.size();
  return size;
}

std::string joined(const std::vector<std::string_view>& members) {
  std::string list;
  list.reserve(joined_size(members));
  for (const std::string_view member : members) {
    if (!list.empty()) list.push_back(',');
    list += member;
  }
  return list;
}

void shorten(std::vector<std::string_view>& members) {
  constexpr std::size_t kLarge = 128;
  for (std::size_t i = members.size(); i > 0 && joined_size(members) > kTracestateBytesMax; --i) {
    if (members[i - 1].size() > kLarge)
      members.erase(members.begin() + static_cast<std::ptrdiff_t>(i) - 1);
  }
  while (joined_size(members) > kTracestateBytesMax) members.pop_back();
}

bool is_list_token(std::string_view text) {
  static constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  const auto fits = [](char c) {
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || kOthers.contains(c);
  };
  return !text.empty() && std::ranges::all_of(text, fits);
}

// Printable ASCII without blank, quote, comma, semicolon and backslash.
bool is_baggage_value(std::string_view text) {
  static constexpr std::string_view kExcluded = "\",;\\";
  return std::ranges::all_of(text,
                             [](char c) { return c > ' ' && c <= '~' && !kExcluded.contains(c); });
}

bool is_pair(std::string_view text, bool value_required) {
  const auto equals = text.find('=');
  if (equals == text.npos) return !value_required && is_list_token(text);
  return is_list_token(trimmed(text.substr(0, equals))) &&
         is_baggage_value(trimmed(text.substr(equals + 1)));
}

// key=value, then properties after semicolons: "key" or "key=value".
bool is_baggage_member(std::string_view member) {
  bool first = true;
  while (true) {
    const std::string_view part = member.substr(0, member.find(';'));
    if (!is_pair(trimmed(part), first)) return false;
    if (part.size() == member.size()) return true;
    member.remove_prefix(part.size() + 1);
    first = false;
  }
}

}  // namespace

std::string passable_tracestate(std::string_view list) {
  std::vector<std::string_view> members;
  std::vector<std::string_view> keys;
  while (!list.empty()) {
    const std::string_view member = take_member(list);
    if (member.empty()) continue;
    const auto equals = std::min(member.find('='), member.size());
    const std::string_view key = member.substr(0, equals);
    const bool good = is_state_key(key) && equals < member.size() &&
                      is_state_value(member.substr(equals + 1));
    if (!good || std::ranges::find(keys, key) != keys.end()) return "";
    if (members.size() == kTracestateMembersMax) return "";
    keys.push_back(key);
    members.push_back(member);
  }
  shorten(members);
  return joined(members);
}

std::string passable_baggage(std::string_view list) {
  std::vector<std::string_view> members;
  std::size_t size = 0;
  while (!list.empty() && members.size() < kBaggageMembersMax) {
    const std::string_view member = take_member(list);
    if (!is_baggage_member(member)) continue;
    const std::size_t needed = member.size() + (members.empty() ? 0 : 1);
    if (size + needed > kBaggageBytesMax) break;
    size += needed;
    members.push_back(member);
  }
  std::string passed = joined(members);
  std::ranges::replace(passed, '\t', ' ');  // no attribute of an event can have a tab
  return passed;
}

}  // namespace weir::wire
