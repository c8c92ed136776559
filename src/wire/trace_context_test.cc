// SPDX-License-Identifier: Apache-2.0
#include "wire/trace_context.h"

#include <algorithm>
#include <array>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <rapidcheck.h>

namespace weir::wire {
namespace {

constexpr std::string_view kOwn = "3f8e0c1d2b4a59687f6e5d4c3b2a1908";

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

struct Row {
  std::string_view text;
  std::optional<int> flags;  // none = invalid
};

constexpr auto kParents = std::to_array<Row>({
    {"00-" TRACE "-" PARENT "-01", 1},
    {"00-" TRACE "-" PARENT "-00", 0},
    {"00-" TRACE "-" PARENT "-ff", 255},
    {"cc-" TRACE "-" PARENT "-03", 3},
    {"cc-" TRACE "-" PARENT "-03-what-the-future-brings", 3},
    {"cc-" TRACE "-" PARENT "-03-\xC8p",
     std::nullopt},  // fuzz corpus cloudevents/later-traceparent-with-bytes
    {"cc-" TRACE "-" PARENT "-03-a b", std::nullopt},
    {"cc-" TRACE "-" PARENT "-03.x", std::nullopt},
    {"cc-" TRACE "-" PARENT "-0", std::nullopt},
    {"00-" TRACE "-" PARENT "-01-extra", std::nullopt},
    {"00-" TRACE "-" PARENT "-01 ", std::nullopt},
    {"ff-" TRACE "-" PARENT "-01", std::nullopt},
    {"FE-" TRACE "-" PARENT "-01", std::nullopt},
    {"0-" TRACE "-" PARENT "-001", std::nullopt},
    {"00-0AF7651916cd43dd8448eb211c80319c-" PARENT "-01", std::nullopt},
    {"00-" TRACE "-B7ad6b7169203331-01", std::nullopt},
    {"00-" TRACE "-" PARENT "-0A", std::nullopt},
    {"00-00000000000000000000000000000000-" PARENT "-01", std::nullopt},
    {"00-" TRACE "-0000000000000000-01", std::nullopt},
    {"00_" TRACE "-" PARENT "-01", std::nullopt},
    {"00-" TRACE "_" PARENT "-01", std::nullopt},
    {"00-" TRACE "-" PARENT "_01", std::nullopt},
    {"00-" TRACE "-" PARENT, std::nullopt},
    {"", std::nullopt},
});

TEST_CASE("traceparent is read as the specification says") {
  for (const Row& row : kParents) {
    CAPTURE(row.text);
    const auto parent = parse_traceparent(row.text);
    REQUIRE(parent.has_value() == row.flags.has_value());
    if (!parent) continue;
    CHECK(*parent == TraceParent{TRACE, PARENT, static_cast<std::uint8_t>(*row.flags)});
  }
}

TEST_CASE("a span continues the event's trace under a new id") {
  Rng rng(1);
  const Span span = next_span("00-" TRACE "-" PARENT "-01", " a=1 , b=2", kOwn, rng);
  CHECK(span.trace_id() == TRACE);
  CHECK(span.span_id() != PARENT);
  CHECK(span.traceparent.ends_with("-01"));
  CHECK(span.tracestate == "a=1,b=2");
  // Of a later version only the flags that this version knows are passed on.
  CHECK(next_span("cc-" TRACE "-" PARENT "-ff", "", kOwn, rng).traceparent.ends_with("-03"));
}

TEST_CASE("without a valid parent the delivery has a trace of its own, and no state") {
  Rng rng(1);
  for (const Row& row : kParents) {
    if (row.flags) continue;
    const Span span = next_span(row.text, "a=1", kOwn, rng);
    CHECK(span.tracestate.empty());
    CHECK(parse_traceparent(span.traceparent).has_value());
    CHECK(span.traceparent.ends_with("-03"));
    CHECK(span.trace_id() == kOwn);  // the same for every attempt
  }
}

TEST_CASE("every span id is new and every result is valid") {
  CHECK(rc::check("span", [](std::uint64_t seed, const std::string& state) {
    Rng rng(seed);
    const Span first = next_span("", "", kOwn, rng);
    const Span second = next_span(first.traceparent, state, kOwn, rng);
    const Span third = next_span(second.traceparent, second.tracestate, kOwn, rng);
    RC_ASSERT(parse_traceparent(second.traceparent).has_value());
    RC_ASSERT(second.trace_id() == first.trace_id());
    RC_ASSERT(second.span_id() != first.span_id());
    RC_ASSERT(third.tracestate == second.tracestate);
  }));
}

struct ListRow {
  std::string_view list;
  std::string_view passed;
};

constexpr auto kStates = std::to_array<ListRow>({
    {"", ""},
    {"a=1", "a=1"},
    {"a=1,b=2", "a=1,b=2"},
    {" a=1 ,\t,, b=2 ", "a=1,b=2"},
    {"fw529a3039@dt=FfB,rojo=00f067aa0ba902b7", "fw529a3039@dt=FfB,rojo=00f067aa0ba902b7"},
    {"0a_-*/@=a b~", "0a_-*/@=a b~"},
    {"a=1,a=2", ""},
    {"A=1", ""},
    {"_a=1", ""},
    {"a", ""},
    {"a=", ""},
    {"=1", ""},
    {"a=1=2", ""},
    {"a =1", ""},
    {"a=ä", ""},
    {"a=1,b=\x01", ""},
});

TEST_CASE("tracestate passes whole or not at all") {
  for (const ListRow& row : kStates) {
    CAPTURE(row.list);
    CHECK(passable_tracestate(row.list) == row.passed);
  }
  const std::string key(256, 'k');
  const std::string value(256, 'v');
  CHECK(passable_tracestate(key + "=" + value) == key + "=" + value);
  CHECK(passable_tracestate("k" + key + "=" + value).empty());
  CHECK(passable_tracestate(key + "=v" + value).empty());
}

std::string members(std::size_t count, std::size_t value_bytes, std::string_view prefix = "k") {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) {
    list += fmt::format("{}{}{}={}", i == 0 ? "" : ",", prefix, i, std::string(value_bytes, 'v'));
  }
  return list;
}

TEST_CASE("tracestate is bounded in members and bytes") {
  CHECK(passable_tracestate(members(32, 1)) == members(32, 1));
  CHECK(passable_tracestate(members(33, 1)).empty());
  // 512 characters are passed on whatever they are made of.
  CHECK(passable_tracestate(members(2, 252)).size() >= 500);
  // Large members go first, from the end.
  const std::string mixed = "big=" + std::string(200, 'v') + "," + members(30, 60);
  CHECK(passable_tracestate(mixed) == members(30, 60));
  // 32 members of 129 bytes or more cannot all stay: those that do are the first.
  const std::string large = members(32, 200);
  const std::string passed = passable_tracestate(large);
  CHECK(passed.size() <= kTracestateBytesMax);
  CHECK(passed.size() > kTracestateBytesMax - 210);
  CHECK(large.starts_with(passed));
  CHECK(passable_tracestate(members(32, 100)).size() <= kTracestateBytesMax);
}

constexpr auto kBaggages = std::to_array<ListRow>({
    {"", ""},
    {"k=v", "k=v"},
    {" k = v ; p=1;q , k2=%20 ", "k = v ; p=1;q,k2=%20"},
    {"k=v;\tp", "k=v; p"},  // fuzz corpus cloudevents/baggage-with-a-tab
    {"k=", "k="},
    {"good=1,bad,also=2", "good=1,also=2"},
    {"a b=1,c=2", "c=2"},
    {"k=a b,c=2", "c=2"},
    {"k=\"x\",c=2", "c=2"},
    {"k=ä,c=2", "c=2"},
    {"k=v;=x,c=2", "c=2"},
    {"k=v\r\nx: y,c=2", "c=2"},
    {",,;,=", ""},
});

TEST_CASE("baggage loses only what is malformed") {
  for (const ListRow& row : kBaggages) {
    CAPTURE(row.list);
    CHECK(passable_baggage(row.list) == row.passed);
  }
}

TEST_CASE("baggage is bounded in members and bytes") {
  CHECK(passable_baggage(members(64, 100)) == members(64, 100));
  CHECK(passable_baggage(members(65, 1)) == members(64, 1));
  const std::string exact = "k=" + std::string(kBaggageBytesMax - 2, 'v');
  CHECK(passable_baggage(exact) == exact);
  CHECK(passable_baggage(exact + "v").empty());
  CHECK(passable_baggage("a=1," + exact) == "a=1");
}

TEST_CASE("whatever is passed on is one header line") {
  CHECK(rc::check("line", [](const std::string& list) {
    const auto fits = [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; };
    RC_ASSERT(std::ranges::all_of(passable_tracestate(list), fits));
    RC_ASSERT(std::ranges::all_of(passable_baggage(list), fits));
  }));
}

}  // namespace
}  // namespace weir::wire
