// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace weir {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Length of the valid UTF-8 sequence at the front, 0 if there is none; `point` gets the code point.
std::size_t utf8_length(std::string_view text, char32_t& point) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) {
    point = first;
    return 1;
  }
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  point = first & (0xFF >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    point = (point << 6) | (byte(i) & 0x3F);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  return point < kSmallest[length] || point > 0x10FFFF || surrogate ? 0 : length;
}

bool is_invisible(char32_t point) {
  const bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
  const bool bidi = point == 0x061C || point == 0x200E || point == 0x200F ||
                    (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
  const bool no_width = (point >= 0x200B && point <= 0x200D) || point == 0x00AD ||
                        point == 0x180E || (point >= 0x2060 && point <= 0x2065) ||
                        (point >= 0x206A && point <= 0x206F) || point == 0xFEFF ||
                        (point >= 0xFFF9 && point <= 0xFFFB) ||
                        (point >= 0xE0000 && point <= 0xE007F);
  return control || bidi || no_width || point == 0x2028 || point == 0x2029;
}

// Letters at both ends that are the same: of two names as near, the likelier one has more.
std::size_t shared_ends(std::string_view a, std::string_view b) {
  const auto front = std::ranges::mismatch(a, b).in1 - a.begin();
  const auto back = std::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend()).first - a.rbegin();
  return static_cast<std::size_t>(front + back);
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = last[j - 1] + (a[i - 1] != b[j - 1]);
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) current[j] = std::min(current[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, current);
  }
  return last[b.size()];
}

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = std::min<std::size_t>(3, std::max<std::size_t>(1, word.size() / 3)) +
                              1;
  for (const std::string& candidate : candidates) {
    const std::size_t longer = std::max(word.size(), candidate.size());
    if (longer - std::min(word.size(), candidate.size()) > best_distance) continue;
    const std::size_t distance = edit_distance(to_lower(word), to_lower(candidate));
    const bool closer = distance < best_distance;
    const bool as_close = distance == best_distance && best &&
                          shared_ends(word, candidate) > shared_ends(word, *best);
    if (!closer && !as_close) continue;
    best_distance = distance;
    best = candidate;
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  if (const auto best = nearest(word, candidates)) return fmt::format("did you mean '{}'?", *best);
  if (candidates.empty()) return "";
  std::string text = "known: ";
  constexpr std::size_t kShown = 8;
  for (std::size_t i = 0; i < std::min(candidates.size(), kShown); ++i) {
    text += (i == 0 ? "" : ", ") + candidates[i];
  }
  if (candidates.size() > kShown) text += ", …";
  return text;
}

bool equals_ignore_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string to_lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), lower);
  return result;
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    char32_t point = 0;
    const std::size_t length = utf8_length(text, point);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    char32_t point = 0;
    const std::size_t length = utf8_length(text, point);
    if (length == 0) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    if (point == '\n') {
      result += "\\n";
    } else if (is_invisible(point)) {
      result += fmt::format("\\u{{{:x}}}", static_cast<std::uint32_t>(point));
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return result;
}

}  // namespace weir
