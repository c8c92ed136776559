// SPDX-License-Identifier: Apache-2.0
// Micro benchmarks of what runs for every event on the I/O thread.
#include <benchmark/benchmark.h>

#include "base/rng.h"
#include "delivery/cursor_tracker.h"
#include "delivery/key_gate.h"
#include "model/event.h"
#include "policy/classify.h"
#include "policy/decide.h"
#include "policy/filter.h"
#include "policy/guardrails.h"
#include "sample_event.h"
#include "wire/cloudevents.h"
#include "wire/json.h"

namespace weir::bench {
namespace {

using benchmark::DoNotOptimize;

const WallTime kNow = from_micros(1'795'000'000'000'000);

// The sample event in its stored form, and its views.
struct Stored {
  Stored() {
    const SampleEvent sample = sample_event();
    auto parsed = wire::parse_structured(sample.text, {});
    record = encode_event(parsed->entries().front().event);
    event = *decode_event(record);
  }
  std::string record;
  Event event;
};

// One call on the happy path: admission, the meaning of the answer, the decision, the guardrails'
// books.
void admit_classify_decide(benchmark::State& state) {
  policy::Guardrails guardrails{DependencyPolicy{}};
  const FlowPolicy flow;
  const policy::ClassifyRules rules;
  const Delivery delivery;
  Outcome outcome;
  outcome.status = static_cast<int>(state.range(0));
  outcome.latency = std::chrono::milliseconds{1};
  Rng rng(1);
  MonoTime now{std::chrono::seconds{1}};
  for (auto _ : state) {
    policy::Permit permit;
    DoNotOptimize(guardrails.admit(policy::Work::first, now, permit));
    const Classification meaning = policy::classify(outcome, rules, "flow", "dependency", kNow);
    DoNotOptimize(policy::decide({flow, delivery, true, OnFailure::parkKey, meaning, kNow}, rng));
    guardrails.record(permit, meaning, outcome.latency, now, rng);
    now += std::chrono::microseconds{50};
  }
}
BENCHMARK(admit_classify_decide)->Arg(204)->Arg(422);

void match_filter(benchmark::State& state, const char* pattern) {
  const Stored stored;
  const auto filter = policy::Filter::compile(pattern);
  if (!filter.ok() || !filter->matches(stored.event))
    return state.SkipWithError("the pattern must match the event");
  for (auto _ : state) DoNotOptimize(filter->matches(stored.event));
}
BENCHMARK_CAPTURE(match_filter, attributes,
                  R"({"type":[{"prefix":"com.example.order"}],"source":["/bench/orders"]})");
BENCHMARK_CAPTURE(
    match_filter, data,
    R"({"type":[{"prefix":"com."}],"data":{"order":{"total":[{"numeric":[">",50]}]}}})");

void parse_json(benchmark::State& state) {
  const SampleEvent sample = sample_event();
  for (auto _ : state) DoNotOptimize(wire::parse_json(sample.text));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(sample.text.size()));
}
BENCHMARK(parse_json);

void parse_structured_event(benchmark::State& state) {
  const SampleEvent sample = sample_event();
  for (auto _ : state) DoNotOptimize(wire::parse_structured(sample.text, {}));
}
BENCHMARK(parse_structured_event);

void parse_batch_of_100(benchmark::State& state) {
  const std::string one = sample_event().text;
  std::string batch = "[" + one;
  for (int i = 1; i < 100; ++i) batch += "," + one;
  batch += "]";
  for (auto _ : state) DoNotOptimize(wire::parse_batch(batch, {}));
  state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(parse_batch_of_100);

void encode_stored_event(benchmark::State& state) {
  const Stored stored;
  for (auto _ : state) DoNotOptimize(encode_event(stored.event));
}
BENCHMARK(encode_stored_event);

void decode_stored_event(benchmark::State& state) {
  const Stored stored;
  for (auto _ : state) DoNotOptimize(decode_event(stored.record));
}
BENCHMARK(decode_stored_event);

void write_request_headers(benchmark::State& state) {
  const Stored stored;
  std::string out;
  for (auto _ : state) {
    out.clear();
    wire::append_binary_headers(out, stored.event);
    DoNotOptimize(out);
  }
}
BENCHMARK(write_request_headers);

// An event through the gate of a flow with 10,000 keys: admitted, settled, free again.
void key_gate(benchmark::State& state) {
  delivery::KeyGate gate(FlowId{1});
  std::uint64_t seq = 0;
  for (auto _ : state) {
    delivery::Candidate candidate;
    candidate.key = "order-" + std::to_string(seq % 10'000);
    candidate.position.seq = ++seq;
    DoNotOptimize(gate.admit(candidate));
    DoNotOptimize(gate.settled(candidate.key));
  }
}
BENCHMARK(key_gate);

// 64 calls in flight that end in a shuffled order, as the cursor sees them.
void cursor_tracker(benchmark::State& state) {
  delivery::CursorTracker tracker(Cursor{}, 1);
  std::uint64_t first = tracker.floor();
  for (auto _ : state) {
    for (std::uint64_t i = 0; i < 64; ++i) tracker.settle(first + i * 37 % 64);
    first += 64;
    DoNotOptimize(tracker.snapshot());
  }
  if (tracker.floor() != first) state.SkipWithError("the floor must follow");
  state.SetItemsProcessed(state.iterations() * 64);
}
BENCHMARK(cursor_tracker);

}  // namespace
}  // namespace weir::bench

BENCHMARK_MAIN();
