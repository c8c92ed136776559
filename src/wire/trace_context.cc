// SPDX-License-Identifier: Apache-2.0
#include "wire/trace_context.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/seeded_bug.h"

namespace weir::wire {
namespace {

constexpr std::size_t kVersion0 = 55;  // characters
constexpr std::uint8_t kKnownFlags = 3;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == '0'; });
}

std::uint64_t nonzero(Rng& rng) {
  for (;;) {
    const std::uint64_t value = rng.next();
    if (value != 0) return value;
  }
}

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view text) {
  if (text.size() < kVersion0) return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  if (!is_hex(version) || version == "ff" || text[2] != '-' || text[35] != '-' || text[52] != '-')
    return std::nullopt;
  if (version == "00" && text.size() != kVersion0) return std::nullopt;
  if (text.size() > kVersion0 && text[kVersion0] != '-') return std::nullopt;
  // What a later version adds is passed on, so that it must be text that a header can have.
  const auto is_visible = [](char c) { return c > ' ' && c < 0x7F; };
  if (!std::ranges::all_of(text.substr(kVersion0), is_visible)) return std::nullopt;
  const std::string_view trace = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  if (!is_hex(trace) || !is_hex(parent) || !is_hex(flags) || is_zero(trace) || is_zero(parent))
    return std::nullopt;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  return TraceParent{std::string(trace), std::string(parent),
                     static_cast<std::uint8_t>(digit(flags[0]) * 16 + digit(flags[1]))};
}

std::string to_text(const TraceParent& parent) {
  return fmt::format("00-{}-{}-{:02x}", parent.trace_id, parent.parent_id,
                     parent.flags & kKnownFlags);
}

Span next_span(std::string_view traceparent, std::string_view tracestate,
               std::string_view own_trace_id, Rng& rng) {
  auto parent = parse_traceparent(traceparent);
  const bool known = parent.has_value() && !WEIR_SEEDED_BUG("trace.parent_lost");
  if (!known) {
    parent.emplace();
    parent->trace_id = own_trace_id;
    parent->flags = kKnownFlags;
  }
  parent->parent_id = fmt::format("{:016x}", nonzero(rng));
  return {.traceparent = to_text(*parent),
          .tracestate = known ? passable_tracestate(tracestate) : ""};
}

}  // namespace weir::wire
