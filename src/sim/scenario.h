// SPDX-License-Identifier: Apache-2.0
// A scenario as plain data: who sends how much, what the dependencies do with it, which policy
// stands between, what goes wrong when, and what is expected. read_scenario.h makes it from YAML.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "model/config_model.h"

namespace weir::sim {

// Bounds of one run.
inline constexpr Duration kLastsMax = std::chrono::hours{24 * 7};
inline constexpr std::uint64_t kEventsMax = 50'000'000;
inline constexpr std::uint32_t kInstancesMax = 10'000;
inline constexpr std::uint32_t kWorkersMax = 100'000;
inline constexpr std::uint32_t kServerQueueMax = 10'000'000;

enum class Arrivals : std::uint8_t {
  poisson,
  regular,   // all gaps are the same
  recorded,  // as in Load::recorded
  closed,    // clients that send the next event when the last one has ended
};

struct Load {
  Arrivals arrivals = Arrivals::poisson;
  double rate = 0;  // events per second, without bursts
  double burst_size = 0;
  Duration burst_every{};
  double swing = 0;  // share by which the rate goes up and down, as a sine of this period
  Duration period{};
  std::vector<Duration> recorded;  // since the start, ascending
  std::uint32_t clients = 0;       // closed
  Duration think{};
  std::uint64_t events_each = std::numeric_limits<std::uint64_t>::max();
};

struct FlowPlan {
  FlowSpec spec;
  std::size_t dependency = 0;
  Load load;
  // What a guardrail refuses is given up and not done later: how a plain client behaves.
  bool gives_up = false;
};

enum class QueueOrder : std::uint8_t { fifo, lifo };

// What a dependency really does.
struct ServerSpec {
  std::uint32_t workers = 1;  // kWorkersMax: as many as there are calls
  Duration takes{};           // one call, one worker; mean if exponential
  bool exponential = false;
  QueueOrder order = QueueOrder::fifo;
  std::uint32_t queue_size = kServerQueueMax;  // whoever finds it full is answered 503
  bool drops_expired = false;                  // looks at the call's deadline before it begins
  bool abandons = false;                       // stops what its caller has given up
  Duration latency{};                          // of the network, there and back
  Duration slower_per_call{};     // takes so much longer for each call that it works on
  double degraded_to = 1;         // share of its speed with a queue of degraded_at or more;
  std::uint32_t degraded_at = 0;  // in between it falls in proportion
  double failures = 0;            // share that is answered with `status`, by chance
  int status = 500;
  bool honours_keys = true;          // a repeat under the same key does nothing
  std::optional<std::size_t> calls;  // the dependency that its handler calls for each call
  std::uint32_t calls_attempts = 1;  // at once, one after the other
  Duration calls_timeout = std::chrono::seconds{1};

  bool is_unlimited() const { return workers == kWorkersMax; }
  // Calls per second when nothing is wrong; infinity if nothing bounds it.
  double capacity() const {
    if (is_unlimited() || takes <= Duration{}) return std::numeric_limits<double>::infinity();
    return workers / std::chrono::duration<double>(takes).count();
  }
};

struct DependencyPlan {
  DependencySpec spec;
  ServerSpec server;
  // Senders that know nothing of each other, each with guardrails of its own; events go to one of
  // them by chance. Weir is one.
  std::uint32_t instances = 1;
};

enum class FaultKind : std::uint8_t {
  outage,    // refuses every call; what it worked on is lost
  hang,      // takes calls and never answers
  pause,     // begins nothing; what was sent meanwhile is served afterwards
  slow,      // takes `amount` times as long
  brownOut,  // has `amount` of its capacity
  errors,    // answers `amount` of the calls with `status`
  spike,     // of a flow: `amount` times its load
};
std::string_view to_text(FaultKind kind);

struct FaultSpec {
  FaultKind kind = FaultKind::outage;
  std::size_t target = 0;  // dependency; of a spike: flow
  std::string target_name;
  Duration at{};
  Duration lasts{};
  double amount = 1;
  int status = 503;
};

enum class Measure : std::uint8_t {
  verdict,
  recovery,
  caughtUp,
  goodput,
  amplification,
  lateGoodput,
  lateAmplification,
  quarantined,
  expired,
  effectsTwice,
  attempts,
  succeeded,
  finishedAfter,
  delayP50,
  delayP99,
};

// One line of `expect:`; durations are seconds, shares from 0 to 1.
struct Expectation {
  Measure measure = Measure::goodput;
  std::string name;  // as written
  std::optional<double> least;
  std::optional<double> most;
  std::vector<std::string> verdicts;  // of Measure::verdict
  bool never = false;                 // of recovery and caughtUp
};

// Plain data; the runner reads it.
struct Scenario {
  std::string name;
  std::string about;
  std::string source;  // where the setting or the expected numbers were published
  std::string policy;  // what --compare names it by
  Duration lasts = std::chrono::minutes{5};
  Duration step{};  // of the series
  std::uint64_t seed = 1;
  std::uint32_t runs = 1;
  std::vector<FlowPlan> flows;
  std::vector<DependencyPlan> dependencies;
  std::vector<FailureModeSpec> failure_modes;
  std::vector<FaultSpec> faults;
  std::vector<Expectation> expect;
};

}  // namespace weir::sim
