// SPDX-License-Identifier: Apache-2.0
// How many deliveries a simulated second costs: deciders and models alone, one core. `items/s` are
// deliveries (events), not calls.
#include <stdexcept>
#include <string>

#include <benchmark/benchmark.h>

#include "config/problem.h"
#include "sim/read_scenario.h"
#include "sim/run.h"

namespace weir::bench {
namespace {

// All is well: a call, an answer, and a timeout that finds nobody.
constexpr const char* kWell = R"(
lasts: 60s
load: { a: { to: d, rate: 2000/s } }
dependencies:
  d: { capacity: 3000/s, server: { workers: 20, service: exponential, latency: 5ms } }
)";

// A tenth fails and is retried: classification with a reason, decision, backoff, budget.
constexpr const char* kFailing = R"(
lasts: 60s
load: { a: { to: d, rate: 2000/s } }
dependencies:
  d:
    capacity: 3000/s
    server: { workers: 20, service: exponential, latency: 5ms, failures: 10% }
)";

// An outage: refusals by the breaker, a backlog, the way back.
constexpr const char* kOutage = R"(
lasts: 120s
policy: { timeouts: { attempt: 1s } }
load: { a: { to: d, rate: 1000/s } }
dependencies: { d: { capacity: 2000/s, server: { workers: 20, latency: 5ms } } }
faults: [{ outage: d, at: 20s, for: 20s }]
)";

void deliveries(benchmark::State& state, const char* text) {
  const sim::ScenarioOutcome read = sim::read_scenario({"bench", text}, {});
  if (!read.scenario) throw std::runtime_error(config::render(read.problems));
  std::uint64_t seed = 0;
  std::int64_t events = 0;
  for (auto _ : state) {
    const sim::RunResult result = sim::run(*read.scenario, ++seed);
    events += static_cast<std::int64_t>(result.totals.events);
    benchmark::DoNotOptimize(result.trace_hash);
  }
  state.SetItemsProcessed(events);
}

BENCHMARK_CAPTURE(deliveries, well, kWell)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(deliveries, failing, kFailing)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(deliveries, outage, kOutage)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weir::bench

BENCHMARK_MAIN();
