// SPDX-License-Identifier: Apache-2.0
// W3C Trace Context level 2: what the event's trace becomes for one attempt.
#pragma once

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

struct Span {
  std::string traceparent;  // what the attempt sends
  std::string tracestate;   // passed on, or empty
  std::string_view trace_id() const { return std::string_view(traceparent).substr(3, 32); }
  std::string_view span_id() const { return std::string_view(traceparent).substr(36, 16); }
};

// A new span in the event's trace; without a valid traceparent a new trace, and tracestate is
// dropped. tracestate beyond 32 members or 2048 characters is dropped as well.
Span next_span(std::string_view traceparent, std::string_view tracestate, Rng& rng);

}  // namespace weir::wire
