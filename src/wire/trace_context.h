// SPDX-License-Identifier: Apache-2.0
// W3C Trace Context level 2 and Baggage: what the event's trace becomes for one attempt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/rng.h"

namespace weir::wire {

struct TraceParent {
  std::string trace_id;    // 32 hex digits, lower case, not all zero
  std::string parent_id;   // 16 hex digits, not all zero
  std::uint8_t flags = 0;  // bit 0 sampled, bit 1 random trace id
  bool operator==(const TraceParent&) const = default;
};

// nullopt for anything the specification calls invalid; a higher version is read by its prefix.
std::optional<TraceParent> parse_traceparent(std::string_view text);
// As version 00, whose flags are the lowest two bits.
std::string to_text(const TraceParent& parent);

inline constexpr std::size_t kTracestateMembersMax = 32;
inline constexpr std::size_t kTracestateBytesMax = 2048;
inline constexpr std::size_t kBaggageMembersMax = 64;
inline constexpr std::size_t kBaggageBytesMax = 8192;

// The list as it may be passed on: members in their order, without empty ones and blanks around
// commas. A malformed member, a key that stands twice or more than 32 members make it empty. From a
// list that is too long the largest members go first, as the specification advises: those above 128
// characters, then from the end.
std::string passable_tracestate(std::string_view list);
// Malformed members are left out; so is what goes beyond 64 members or 8192 bytes.
std::string passable_baggage(std::string_view list);

struct Span {
  std::string traceparent;  // what the attempt sends
  std::string tracestate;   // passed on, or empty
  std::string_view trace_id() const { return std::string_view(traceparent).substr(3, 32); }
  std::string_view span_id() const { return std::string_view(traceparent).substr(36, 16); }
};

// A new span in the event's trace. Without a valid traceparent the trace is `own_trace_id` (32 hex
// digits, lower case, random enough to be one: sampled, random), and tracestate is dropped.
Span next_span(std::string_view traceparent, std::string_view tracestate,
               std::string_view own_trace_id, Rng& rng);

}  // namespace weir::wire
