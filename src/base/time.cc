// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <charconv>

#include <fmt/format.h>

namespace weir {
namespace {

using Days = std::chrono::sys_days;

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// "Z", "+01:00", "-08:30" as an offset to subtract; nullopt if it is something else.
std::optional<std::chrono::minutes> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return std::chrono::minutes{0};
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const auto hours = digits(text, 1, 2);
  const auto minutes = digits(text, 4, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::chrono::minutes offset{*hours * 60 + *minutes};
  return text[0] == '-' ? -offset : offset;
}

struct Unit {
  std::string_view name;
  Duration value;
};
constexpr Unit kUnits[] = {
    {"us", std::chrono::microseconds{1}}, {"ms", std::chrono::milliseconds{1}},
    {"s", std::chrono::seconds{1}},       {"m", std::chrono::minutes{1}},
    {"h", std::chrono::hours{1}},         {"d", std::chrono::hours{24}},
};

}  // namespace

std::string to_rfc3339(WallTime time) {
  const auto micros = to_micros(time);
  const auto millis = micros >= 0 ? micros / 1000 : (micros - 999) / 1000;
  const std::chrono::sys_time<std::chrono::milliseconds> point{std::chrono::milliseconds{millis}};
  const auto day = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{point - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::string to_clock_text(WallTime time) { return to_rfc3339(time).substr(11, 8); }

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second || text.size() < 20)
    return std::nullopt;
  const bool shape = text[4] == '-' && text[7] == '-' &&
                     (text[10] == 'T' || text[10] == 't' || text[10] == ' ') && text[13] == ':' &&
                     text[16] == ':';
  if (!shape || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  std::size_t at = 19;
  std::int64_t micros = 0;
  if (text[at] == '.') {
    std::int64_t scale = 100'000;
    const std::size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
      micros += (text[at] - '0') * scale;
    if (at == first) return std::nullopt;
  }
  const auto offset = parse_offset(text.substr(at));
  if (!offset) return std::nullopt;
  const auto days = std::chrono::duration_cast<Duration>(Days{date}.time_since_epoch());
  const Duration in_day = std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
                          std::chrono::seconds{*second};
  return WallTime{days + in_day + Duration{micros} - *offset};
}

std::string to_text(Duration duration) {
  const auto micros = duration.count();
  if (micros < 0) return "-" + to_text(-duration);
  if (micros < 1000) return fmt::format("{} us", micros);
  if (micros < 999'500) return fmt::format("{} ms", (micros + 500) / 1000);
  if (micros < 59'950'000) return fmt::format("{:.1f} s", static_cast<double>(micros) / 1e6);
  const auto seconds = (micros + 500'000) / 1'000'000;
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
  return fmt::format("{} d {} h", seconds / 86'400, seconds % 86'400 / 3600);
}

std::string to_setting(Duration duration) {
  constexpr std::pair<std::string_view, std::int64_t> kInMicros[] = {
      {"d", 86'400'000'000}, {"h", 3'600'000'000}, {"m", 60'000'000},
      {"s", 1'000'000},      {"ms", 1000},         {"us", 1}};
  std::string text;
  std::int64_t left = duration.count();
  for (const auto& [unit, micros] : kInMicros) {
    if (left >= micros) text += fmt::format("{}{}", left / micros, unit);
    left %= micros;
  }
  return text.empty() ? "0s" : text;
}

std::optional<Duration> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  constexpr std::int64_t kMax =
      std::chrono::duration_cast<Duration>(std::chrono::hours{24 * 36'500}).count();
  std::int64_t total = 0;
  while (!text.empty()) {
    std::int64_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc{} || text[0] == '-') return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
    std::size_t letters = 0;
    while (letters < text.size() && text[letters] >= 'a' && text[letters] <= 'z') ++letters;
    const Unit* unit = nullptr;
    for (const Unit& known : kUnits) {
      if (known.name == text.substr(0, letters)) unit = &known;
    }
    if (unit == nullptr || number > kMax / unit->value.count()) return std::nullopt;
    total += number * unit->value.count();
    if (total > kMax) return std::nullopt;
    text.remove_prefix(letters);
  }
  return Duration{total};
}

}  // namespace weir
