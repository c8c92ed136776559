// SPDX-License-Identifier: Apache-2.0
#include "policy/rate_headers.h"

#include <algorithm>

#include <fmt/format.h>

#include "policy/structured_fields.h"

namespace weir::policy {
namespace {

// A larger reset is a moment, not a time: 31 years are no window.
constexpr double kEpochFrom = 1e9;

struct RateFields {
  const std::string* limit = nullptr;   // ratelimit
  const std::string* policy = nullptr;  // ratelimit-policy
  const std::string* old_remaining = nullptr;
  const std::string* old_reset = nullptr;
  const std::string* old_quota = nullptr;
};

RateFields find_fields(const Outcome& outcome) {
  RateFields fields;
  for (const auto& [header, value] : outcome.headers) {
    std::string_view name = header;
    if (name.starts_with("x-")) name.remove_prefix(2);
    if (!name.starts_with("ratelimit")) continue;
    name.remove_prefix(std::string_view("ratelimit").size());
    if (name.empty() && header.front() == 'r') fields.limit = &value;
    if (name == "-policy") fields.policy = &value;
    if (name == "-remaining") fields.old_remaining = &value;
    if (name == "-reset") fields.old_reset = &value;
    if (name == "-limit") fields.old_quota = &value;
  }
  return fields;
}

bool is_absurd(double seconds) {
  return seconds > std::chrono::duration<double>(kResetMax).count();
}

Duration seconds(double value) {
  return is_absurd(value) ? kResetMax : Duration{static_cast<std::int64_t>(value * 1e6)};
}

bool counts_requests(const FieldItem& policy) {
  const FieldValue* unit = policy.find("qu");
  return unit == nullptr || unit->text == "requests";
}

const FieldItem* find_policy(const FieldList& policies, std::string_view name) {
  const auto* found = std::ranges::find_if(
      policies, [&](const FieldItem& item) { return item.value.text == name; });
  return found == policies.end() ? nullptr : found;
}

void take_quota(ServerPace& pace, const FieldItem& policy) {
  const auto quota = policy.number("q");
  const auto window = policy.number("w");
  if (!quota || !window || *window == 0) return;
  pace.quota = *quota;
  pace.window = seconds(*window);
}

// One item of RateLimit; nullopt if it says nothing that can be obeyed.
std::optional<ServerPace> pace_of(const FieldItem& item, const FieldList& policies) {
  ServerPace pace;
  if (item.value.kind != FieldValue::Kind::text) return {};
  const FieldItem* policy = find_policy(policies, item.value.text);
  if (policy != nullptr) {
    if (!counts_requests(*policy)) return {};
    take_quota(pace, *policy);
  }
  pace.remaining = item.number("r");
  const auto reset = item.number("t");
  pace.reset = reset ? seconds(*reset) : pace.window;
  pace.cut = reset && is_absurd(*reset);
  if (!pace.remaining || pace.reset == Duration{0}) return {};
  return pace;
}

bool is_stricter(const ServerPace& one, const ServerPace& other) {
  const double left = *one.remaining * static_cast<double>(other.reset.count());
  const double right = *other.remaining * static_cast<double>(one.reset.count());
  return left < right || (left == right && one.reset > other.reset);
}

void read_new(const RateFields& fields, ServerPace& into) {
  FieldList policies;
  if (fields.policy != nullptr && !parse_field_list(*fields.policy, policies)) policies.count = 0;
  if (fields.limit == nullptr) {
    for (const FieldItem& policy : policies) {
      if (counts_requests(policy)) take_quota(into, policy);
    }
    return;
  }
  FieldList limits;
  if (!parse_field_list(*fields.limit, limits)) return;
  for (const FieldItem& item : limits) {
    const auto pace = pace_of(item, policies);
    if (pace && (!into.remaining || is_stricter(*pace, into))) into = *pace;
  }
}

// The first number of a field: "10", "10, 10;w=60".
std::optional<double> first_number(const std::string* text) {
  FieldList list;
  if (text == nullptr || !parse_field_list(*text, list) || list.count == 0) return {};
  const FieldValue& value = list.items[0].value;
  if (value.kind != FieldValue::Kind::number || value.number < 0) return {};
  return value.number;
}

void read_old(const RateFields& fields, WallTime now, ServerPace& into) {
  const auto remaining = first_number(fields.old_remaining);
  auto reset = first_number(fields.old_reset);
  if (!remaining || !reset) return;
  if (*reset >= kEpochFrom) *reset -= static_cast<double>(to_micros(now)) / 1e6;
  if (*reset <= 0) return;
  into.remaining = remaining;
  into.reset = seconds(*reset);
  into.cut = is_absurd(*reset);
  into.quota = first_number(fields.old_quota).value_or(0);
}

}  // namespace

std::string describe(const ServerPace& pace) {
  if (!pace.remaining) return {};
  return fmt::format("{:g} calls left for {}{}", *pace.remaining, weir::to_text(pace.reset),
                     pace.cut ? ", cut from what it asked for" : "");
}

ServerPace read_server_pace(const Outcome& outcome, const Classification& classification,
                            WallTime now) {
  ServerPace pace;
  if (outcome.fault != Fault::none) return pace;
  const RateFields fields = find_fields(outcome);
  if (fields.limit != nullptr || fields.policy != nullptr) read_new(fields, pace);
  if (!pace.remaining && fields.old_remaining != nullptr) read_old(fields, now, pace);
  const bool slow_down = classification.failure == FailureClass::throttled ||
                         classification.failure == FailureClass::overloaded;
  if (slow_down) pace.hold = classification.retry_after;
  return pace;
}

}  // namespace weir::policy
