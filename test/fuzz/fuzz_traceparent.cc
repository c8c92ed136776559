// SPDX-License-Identifier: Apache-2.0
// Three lines: traceparent, tracestate, baggage. Whatever is passed on is valid, bounded, and
// passed on unchanged by the next one.
#include <algorithm>
#include <string_view>

#include "base/assert.h"
#include "input.h"
#include "wire/trace_context.h"

namespace {

using namespace weir::wire;

void check_list(const std::string& passed, std::size_t bytes_max, std::ptrdiff_t members_max) {
  WEIR_ASSERT(passed.size() <= bytes_max);
  WEIR_ASSERT(std::ranges::count(passed, ',') < members_max);
  WEIR_ASSERT(
      std::ranges::all_of(passed, [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; }));
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  const std::string_view parent = weir::fuzz::take_line(text);
  const std::string_view state = weir::fuzz::take_line(text);
  weir::Rng rng(text.size());
  const std::string_view own = "0123456789abcdef0123456789abcdef";
  const Span span = next_span(parent, state, own, rng);
  const auto sent = parse_traceparent(span.traceparent);
  WEIR_ASSERT(sent.has_value() && to_text(*sent) == span.traceparent);
  const auto known = parse_traceparent(parent);
  WEIR_ASSERT(!known || known->trace_id == span.trace_id());
  WEIR_ASSERT(known || span.tracestate.empty());
  check_list(span.tracestate, kTracestateBytesMax, kTracestateMembersMax);
  WEIR_ASSERT(passable_tracestate(span.tracestate) == span.tracestate);
  const std::string baggage = passable_baggage(text);
  check_list(baggage, kBaggageBytesMax, kBaggageMembersMax);
  WEIR_ASSERT(passable_baggage(baggage) == baggage);
}
