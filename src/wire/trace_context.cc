// SPDX-License-Identifier: Apache-2.0
#include "wire/trace_context.h"

#include <algorithm>

#include <fmt/format.h>

namespace weir::wire {
namespace {

constexpr std::size_t kVersion0 = 55;  // characters
constexpr std::size_t kStateMax = 2048;
constexpr std::ptrdiff_t kMembersMax = 32;

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
  const std::string_view trace = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  if (!is_hex(trace) || !is_hex(parent) || !is_hex(flags) || is_zero(trace) || is_zero(parent))
    return std::nullopt;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  return TraceParent{std::string(trace), std::string(parent),
                     static_cast<std::uint8_t>(digit(flags[0]) * 16 + digit(flags[1]))};
}

Span next_span(std::string_view traceparent, std::string_view tracestate, Rng& rng) {
  constexpr std::uint8_t kKnownFlags = 3;
  constexpr std::uint8_t kRandomSampled = 3;
  const auto parent = parse_traceparent(traceparent);
  if (!parent) {
    return {.traceparent = fmt::format("00-{:016x}{:016x}-{:016x}-{:02x}", rng.next(), nonzero(rng),
                                       nonzero(rng), kRandomSampled)};
  }
  Span span{.traceparent = fmt::format("00-{}-{:016x}-{:02x}", parent->trace_id, nonzero(rng),
                                       parent->flags & kKnownFlags)};
  const bool fits = tracestate.size() <= kStateMax &&
                    std::ranges::count(tracestate, ',') < kMembersMax;
  if (fits) span.tracestate = tracestate;
  return span;
}

}  // namespace weir::wire
