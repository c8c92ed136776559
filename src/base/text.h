// SPDX-License-Identifier: Apache-2.0
// Small text questions that every module asks.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir {

// Damerau-Levenshtein distance (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b);
// The nearest candidate, if it is near enough to be a typing mistake (a third of its length, at
// most 3).
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);
// "did you mean 'github'?" or "known: a, b, c" (at most 8) or "".
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);
bool equals_ignore_case(std::string_view a, std::string_view b);  // ASCII only
std::string to_lower(std::string_view text);                      // ASCII only
bool is_valid_utf8(std::string_view text);
// Control, ANSI, bidirectional and zero-width characters made visible, for anything printed on a
// terminal.
std::string printable(std::string_view text);

}  // namespace weir
