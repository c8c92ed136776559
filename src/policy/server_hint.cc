// SPDX-License-Identifier: Apache-2.0
#include "policy/server_hint.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/http_date.h"

namespace weir::policy {
namespace {

constexpr std::size_t kShownMax = 40;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_negative_number(std::string_view text) {
  return text.starts_with('-') && is_number(text.substr(1));
}

std::string quoted(std::string_view text) {
  if (text.size() <= kShownMax) return fmt::format("'{}'", printable(text));
  return fmt::format("'{}…'", printable(text.substr(0, kShownMax)));
}

std::string seconds_in_units(std::int64_t seconds) {
  if (seconds > 86'400 && seconds % 86'400 == 0) return fmt::format("{} d", seconds / 86'400);
  if (seconds > 0 && seconds % 3600 == 0) return fmt::format("{} h", seconds / 3600);
  if (seconds > 60 && seconds % 60 == 0) return fmt::format("{} min", seconds / 60);
  return fmt::format("{} s", seconds);
}

// Digits only. More of them than fit are an absurdly long wait, not garbage.
ServerHint read_number(std::string_view name, std::string_view digits, Duration unit,
                       Duration max) {
  std::int64_t count = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (parsed.ec == std::errc::result_out_of_range)
    return {max, false, fmt::format("{} {} cut to {}", name, quoted(digits), whole_units(max))};
  if (count <= max / unit) return {count * unit, false, ""};
  const std::string said = unit == Duration{std::chrono::seconds{1}}
                               ? seconds_in_units(count)
                               : seconds_in_units(count / 1000);
  return {max, false, fmt::format("{} of {} cut to {}", name, said, whole_units(max))};
}

ServerHint ignored(std::string_view name, std::string_view text) {
  const std::string_view why = is_negative_number(text) ? "negative" : "no time";
  return {{}, false, fmt::format("{} {} is {}, ignored", name, quoted(text), why)};
}

}  // namespace

ServerHint read_retry_after(std::string_view text, WallTime now, Duration max) {
  constexpr std::string_view kName = "Retry-After";
  max = std::max(max, Duration::zero());
  text = trim(text);
  if (is_number(text)) return read_number(kName, text, std::chrono::seconds{1}, max);
  const auto date = parse_http_date(text, now);
  if (!date) return ignored(kName, text);
  const Duration wait = *date - now;
  if (wait > max)
    return {max, false, fmt::format("{} {} cut to {}", kName, quoted(text), whole_units(max))};
  if (wait >= Duration::zero()) return {wait, false, ""};
  // A date has whole seconds: the present one has always begun already.
  if (wait > -std::chrono::seconds{1}) return {Duration::zero(), false, ""};
  return {Duration::zero(), false, fmt::format("{} {} has passed", kName, quoted(text))};
}

ServerHint read_grpc_pushback(std::string_view text) {
  constexpr std::string_view kName = "grpc-retry-pushback-ms";
  text = trim(text);
  if (is_number(text))
    return read_number(kName, text, std::chrono::milliseconds{1}, kRetryAfterMax);
  return {{}, true, fmt::format("{} {} forbids another try", kName, quoted(text))};
}

ServerHint read_amz_retry_after(std::string_view text) {
  constexpr std::string_view kName = "x-amz-retry-after";
  text = trim(text);
  if (is_number(text))
    return read_number(kName, text, std::chrono::milliseconds{1}, kRetryAfterMax);
  return ignored(kName, text);
}

std::string whole_units(Duration duration) {
  if (duration.count() % 1'000'000 != 0) return weir::to_text(duration);
  return seconds_in_units(duration.count() / 1'000'000);
}

}  // namespace weir::policy
