// SPDX-License-Identifier: Apache-2.0
#include "model/breaker_control.h"

#include <charconv>

#include <fmt/format.h>

namespace weir {
namespace {

constexpr char kEnd = '\n';

// The next field, which ends with kEnd.
std::optional<std::string_view> take(std::string_view& rest) {
  const auto end = rest.find(kEnd);
  if (end == rest.npos) return {};
  const std::string_view field = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return field;
}

std::optional<WallTime> time_of(std::optional<std::string_view> field) {
  std::int64_t micros = 0;
  if (!field) return {};
  const auto parsed = std::from_chars(field->data(), field->data() + field->size(), micros);
  if (parsed.ec != std::errc{} || parsed.ptr != field->data() + field->size()) return {};
  return from_micros(micros);
}

}  // namespace

std::string_view to_text(BreakerOrder order) {
  switch (order) {
    case BreakerOrder::automatic: return "auto";
    case BreakerOrder::open: return "open";
    case BreakerOrder::closed: return "closed";
  }
  return "auto";
}

std::optional<BreakerOrder> parse_breaker_order(std::string_view text) {
  for (const auto order : {BreakerOrder::automatic, BreakerOrder::open, BreakerOrder::closed}) {
    if (text == to_text(order)) return order;
  }
  return {};
}

// The reason comes last: it may have any characters.
std::string encode(const BreakerControl& control) {
  return fmt::format("{}\n{}\n{}\n{}\n{}", to_text(control.order), to_micros(control.since),
                     to_micros(control.until), control.actor, control.reason);
}

std::optional<BreakerControl> decode_breaker_control(std::string_view text) {
  const auto order = take(text);
  const auto since = time_of(take(text));
  const auto until = time_of(take(text));
  const auto actor = take(text);
  const auto known = order ? parse_breaker_order(*order) : std::nullopt;
  if (!known || !since || !until || !actor) return {};
  return BreakerControl{*known, *since, *until, std::string(*actor), std::string(text)};
}

}  // namespace weir
