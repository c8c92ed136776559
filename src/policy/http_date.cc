// SPDX-License-Identifier: Apache-2.0
#include "policy/http_date.h"

#include <algorithm>
#include <array>

namespace weir::policy {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                   "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Takes one piece after the other; after the first that does not fit everything fails.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : rest_(text) {}

  bool accept(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }
  void expect(std::string_view literal) { failed_ = !accept(literal) || failed_; }

  int number(std::size_t digits) {
    if (rest_.size() < digits) return fail();
    int value = 0;
    for (const char c : rest_.substr(0, digits)) {
      if (c < '0' || c > '9') return fail();
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }

  int month() {
    for (std::size_t i = 0; i < kMonths.size(); ++i) {
      if (accept(kMonths[i])) return static_cast<int>(i) + 1;
    }
    return fail();
  }

  bool good() const { return !failed_ && rest_.empty(); }

 private:
  int fail() {
    failed_ = true;
    return 0;
  }
  std::string_view rest_;
  bool failed_ = false;
};

struct Fields {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

void read_clock(Pieces& in, Fields& out) {
  out.hour = in.number(2);
  in.expect(":");
  out.minute = in.number(2);
  in.expect(":");
  out.second = in.number(2);
}

std::optional<WallTime> to_time(const Fields& fields) {
  const std::chrono::year_month_day date{std::chrono::year{fields.year},
                                         std::chrono::month{static_cast<unsigned>(fields.month)},
                                         std::chrono::day{static_cast<unsigned>(fields.day)}};
  // 60 is a leap second.
  if (!date.ok() || fields.hour > 23 || fields.minute > 59 || fields.second > 60) return {};
  return WallTime{std::chrono::sys_days{date}.time_since_epoch() + std::chrono::hours{fields.hour} +
                  std::chrono::minutes{fields.minute} + std::chrono::seconds{fields.second}};
}

int this_year(WallTime now) {
  const auto days = std::chrono::floor<std::chrono::days>(now.time_since_epoch());
  return static_cast<int>(std::chrono::year_month_day{std::chrono::sys_days{days}}.year());
}

int century_of(int two_digits, WallTime now) {
  const int current = this_year(now);
  const int year = current - current % 100 + two_digits;
  return year > current + 50 ? year - 100 : year;
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text, WallTime now) {
  const auto day = std::find_if(kDays.begin(), kDays.end(), [&](std::string_view name) {
    return text.starts_with(name.substr(0, 3));
  });
  if (day == kDays.end()) return {};

  Fields fields;
  Pieces in(text);
  const bool long_name = in.accept(*day);
  if (!long_name) in.expect(day->substr(0, 3));

  if (long_name) {  // RFC 850
    in.expect(", ");
    fields.day = in.number(2);
    in.expect("-");
    fields.month = in.month();
    in.expect("-");
    fields.year = century_of(in.number(2), now);
    in.expect(" ");
    read_clock(in, fields);
    in.expect(" GMT");
  } else if (in.accept(", ")) {  // IMF-fixdate
    fields.day = in.number(2);
    in.expect(" ");
    fields.month = in.month();
    in.expect(" ");
    fields.year = in.number(4);
    in.expect(" ");
    read_clock(in, fields);
    in.expect(" GMT");
  } else {  // asctime
    in.expect(" ");
    fields.month = in.month();
    in.expect(" ");
    fields.day = in.accept(" ") ? in.number(1) : in.number(2);
    in.expect(" ");
    read_clock(in, fields);
    in.expect(" ");
    fields.year = in.number(4);
  }
  if (!in.good()) return {};
  return to_time(fields);
}

}  // namespace weir::policy
