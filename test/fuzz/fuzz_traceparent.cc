// SPDX-License-Identifier: Apache-2.0
// Three lines: traceparent, tracestate, baggage. Whatever is passed on is valid, bounded, and
// passed on unchanged by the next one.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "wire/trace_context.h"

namespace {

using namespace weir::wire;

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

void check_list(const std::string& passed, std::size_t bytes_max, std::ptrdiff_t members_max) {
  WEIR_ASSERT(passed.size() <= bytes_max);
  WEIR_ASSERT(std::ranges::count(passed, ',') < members_max);
  WEIR_ASSERT(
      std::ranges::all_of(passed, [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const std::string_view parent = take_line(text);
  const std::string_view state = take_line(text);
  weir::Rng rng(size);
  const Span span = next_span(parent, state, rng);
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
  return 0;
}
