// SPDX-License-Identifier: Apache-2.0
// Micro benchmarks of what runs for every event on the I/O thread.
#include <atomic>
#include <cstdlib>
#include <new>

#include <benchmark/benchmark.h>

#include "base/rng.h"
#include "delivery/cursor_tracker.h"
#include "delivery/key_gate.h"
#include "model/event.h"
#include "policy/classify.h"
#include "policy/decide.h"
#include "policy/filter.h"
#include "policy/guardrails.h"
#include "policy/rate_headers.h"
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

// Operations of new so far, in this process.
std::atomic<std::uint64_t> allocations{0};

void report_allocations(benchmark::State& state, std::uint64_t before) {
  state.counters["allocations"] = static_cast<double>(allocations - before) /
                                  static_cast<double>(state.iterations());
}

// Every guardrail switched on, and none of them in the way.
DependencyPolicy all_guardrails() {
  DependencyPolicy policy;
  policy.rate_limit = {.enabled = true, .per_second = 1e6, .burst = 1e6};
  policy.concurrency.adaptive.enabled = true;
  policy.circuit_breaker.slow_call_duration_threshold = std::chrono::seconds{1};
  return policy;
}

constexpr Duration kBetween = std::chrono::microseconds{50};
constexpr Duration kLatency = std::chrono::milliseconds{1};

// One call: admission, the meaning of the answer, what its headers ask for, the decision, the
// guardrails' books.
void admit_classify_decide(benchmark::State& state) {
  policy::Guardrails guardrails{all_guardrails()};
  const FlowPolicy flow;
  const policy::ClassifyRules rules;
  const Delivery delivery;
  Outcome outcome;
  outcome.status = static_cast<int>(state.range(0));
  outcome.latency = kLatency;
  outcome.headers = {
      {"content-length", "0"}, {"date", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"server", "handler"}};
  Rng rng(1);
  MonoTime now{std::chrono::seconds{1}};
  const std::uint64_t before = allocations;
  for (auto _ : state) {
    policy::Permit permit;
    DoNotOptimize(guardrails.admit({policy::Work::first}, now, permit));
    const Classification meaning = policy::classify(outcome, rules, "flow", "dependency", kNow);
    DoNotOptimize(policy::decide({flow, delivery, true, OnFailure::parkKey, meaning, kNow}, rng));
    guardrails.record(permit, meaning, outcome.latency, now, rng,
                      policy::read_server_pace(outcome, meaning, kNow));
    now += kBetween;
  }
  report_allocations(state, before);
}
BENCHMARK(admit_classify_decide)->Arg(204)->Arg(422);

void guardrail_breaker(benchmark::State& state) {
  policy::Breaker breaker{CircuitBreakerSpec{}};
  Rng rng(1);
  MonoTime now{std::chrono::seconds{1}};
  const std::uint64_t before = allocations;
  for (auto _ : state) {
    policy::Breaker::Epoch epoch = 0;
    DoNotOptimize(breaker.admit(now, epoch));
    breaker.record(epoch, false, now, rng);
    now += kBetween;
  }
  report_allocations(state, before);
}
BENCHMARK(guardrail_breaker);

void guardrail_retry_budget(benchmark::State& state) {
  policy::RetryBudget budget{RetryConstraintSpec{}};
  MonoTime now{std::chrono::seconds{1}};
  const std::uint64_t before = allocations;
  for (auto _ : state) {
    budget.first_attempt(now);
    DoNotOptimize(budget.try_spend(now));
    now += kBetween;
  }
  report_allocations(state, before);
}
BENCHMARK(guardrail_retry_budget);

void guardrail_rate_limit(benchmark::State& state) {
  policy::RateLimit limit{all_guardrails().rate_limit};
  MonoTime now{std::chrono::seconds{1}};
  const std::uint64_t before = allocations;
  for (auto _ : state) {
    DoNotOptimize(limit.next(now));
    DoNotOptimize(limit.admit(now));
    now += kBetween;
  }
  report_allocations(state, before);
}
BENCHMARK(guardrail_rate_limit);

// Windows are closed, judged and probed in it, at the rate of 20,000 calls per second.
void guardrail_adaptive_limit(benchmark::State& state) {
  policy::Concurrency concurrency{all_guardrails().concurrency};
  MonoTime now{std::chrono::seconds{1}};
  std::int64_t turn = 0;
  const std::uint64_t before = allocations;
  for (auto _ : state) {
    DoNotOptimize(concurrency.acquire(now));
    concurrency.release(policy::AdaptiveLimit::End::served, kLatency + Duration{turn++ % 512}, now);
    now += kBetween;
  }
  report_allocations(state, before);
}
BENCHMARK(guardrail_adaptive_limit);

void read_rate_headers(benchmark::State& state) {
  Outcome outcome;
  outcome.status = 200;
  outcome.headers = {{"content-length", "0"},
                     {"ratelimit-policy", R"("default";q=100;w=60)"},
                     {"ratelimit", R"("default";r=50;t=30)"}};
  const Classification meaning;
  const std::uint64_t before = allocations;
  for (auto _ : state) DoNotOptimize(policy::read_server_pace(outcome, meaning, kNow));
  report_allocations(state, before);
}
BENCHMARK(read_rate_headers);

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

void count_allocation() { allocations.fetch_add(1, std::memory_order_relaxed); }

}  // namespace weir::bench

// Counts, so that the figures can tell how often each decision allocates.
void* operator new(std::size_t size) {
  weir::bench::count_allocation();
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

BENCHMARK_MAIN();
