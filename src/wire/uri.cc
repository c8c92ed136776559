// SPDX-License-Identifier: Apache-2.0
#include "wire/uri.h"

#include <algorithm>

namespace weir::wire {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_uri_character(char c) {
  static constexpr std::string_view kOthers = "-._~:/?#[]@!$&'()*+,;=%";
  return is_letter(c) || is_digit(c) || kOthers.contains(c) ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool escapes_are_whole(std::string_view text) {
  for (std::size_t at = text.find('%'); at != text.npos; at = text.find('%', at + 1)) {
    if (at + 2 >= text.size() || !is_hex(text[at + 1]) || !is_hex(text[at + 2])) return false;
  }
  return true;
}

bool is_scheme(std::string_view text) {
  const auto fits = [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  };
  return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, fits);
}

// The text before the first colon of the first segment; empty if that segment has none.
std::string_view scheme_of(std::string_view text) {
  const auto end = text.find_first_of(":/?#");
  return end != text.npos && text[end] == ':' ? text.substr(0, end) : std::string_view{};
}

// What stands between "//" and the path, if the reference has such a part.
bool brackets_are_in_host(std::string_view text) {
  const std::size_t bracket = text.find_first_of("[]");
  if (bracket == text.npos) return true;
  const std::size_t host = text.find("//");
  if (host == text.npos || host > bracket || text.find_first_of("?#") < host) return false;
  const std::size_t end = std::min(text.find_first_of("/?#", host + 2), text.size());
  const std::string_view authority = text.substr(host + 2, end - host - 2);
  const auto open = std::ranges::count(authority, '[');
  const auto close = std::ranges::count(authority, ']');
  return open == 1 && close == 1 && authority.find('[') < authority.find(']') &&
         text.find_first_of("[]", end) == text.npos;
}

}  // namespace

bool is_uri_reference(std::string_view text) {
  if (!std::ranges::all_of(text, is_uri_character) || !escapes_are_whole(text)) return false;
  if (std::ranges::count(text, '#') > 1 || !brackets_are_in_host(text)) return false;
  const auto end = text.find_first_of(":/?#");
  const bool colon = end != text.npos && text[end] == ':';
  return !colon || is_scheme(text.substr(0, end));
}

bool is_absolute_uri(std::string_view text) {
  return is_uri_reference(text) && is_scheme(scheme_of(text));
}

}  // namespace weir::wire
