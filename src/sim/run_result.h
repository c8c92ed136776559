// SPDX-License-Identifier: Apache-2.0
// What one simulated run came to: series per dependency for plots, totals, and the verdict. Plain
// data; the runner writes it, reports read it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir::sim {

// One step of the series. Rates are per second, averaged over the step; the others are as they were
// at its end.
struct Step {
  double at = 0;         // seconds since the start, of the step's end
  double offered = 0;    // first attempts that were due
  double attempted = 0;  // calls that left, retries included
  double succeeded = 0;
  double failed = 0;
  double queue = 0;  // deliveries that wait for their turn or their retry
  double in_flight = 0;
  double server_queue = 0;  // calls that wait at the dependency, abandoned ones included
  double limit = 0;         // of concurrency
  double budget = 0;        // share of the retry budget that is left, 0 to 1
  double breaker = 0;       // share that it refuses: 0 closed, 1 open
};

struct Series {
  std::string dependency;
  std::vector<Step> steps;
};

enum class Ending : std::uint8_t {
  steady,  // there was no fault, or goodput never left what is offered
  recovers,
  unfinished,  // it was still on its way back when the run ended
  heldBack,    // a guardrail admits less than what is offered, whether or not something is wrong
  failing,     // without a fault, most of what is offered fails
  overloaded,  // more is offered, or made of it by retries, than the dependency can do
  paused,      // a flow paused itself, and waits for a person
  metastable,  // the fault is over and the load could be served, and yet it never recovers
};
// From the best to the worst.
inline constexpr std::array kEndings = {Ending::steady,   Ending::recovers,  Ending::unfinished,
                                        Ending::heldBack, Ending::failing,   Ending::overloaded,
                                        Ending::paused,   Ending::metastable};

struct Verdict {
  Ending ending = Ending::steady;
  std::optional<double>
      recovered_after;  // seconds from the end of the fault that it took longest after
  // Until as few deliveries wait as before the fault.
  std::optional<double> caught_up_after;
  std::string sentence;  // for people: "recovers after 38 s", and why not
};

// One line of `expect:`.
struct Check {
  std::string name;      // "goodput"
  std::string expected;  // ">= 0.95"
  std::string measured;
  bool met = false;
};

struct Totals {
  std::uint64_t events = 0;
  std::uint64_t attempts = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t quarantined = 0;
  std::uint64_t expired = 0;
  std::uint64_t effects_twice = 0;
  double goodput = 0;        // succeeded in time over offered, over the whole run
  double amplification = 0;  // attempts per event
  double late_goodput = 0;   // both of the last 20 s alone
  double late_amplification = 0;
  double finished_after = 0;  // seconds from the start to the last event that was done
  double delay_p50 = 0;       // seconds from an event's arrival until it was done, within 5 %
  double delay_p99 = 0;
};

// What was wrong when, for plots; seconds since the start.
struct Shade {
  std::string what;  // "outage of tracker"
  double from = 0;
  double to = 0;
};

struct RunResult {
  std::string scenario;
  std::string policy;  // what --compare names the sides by
  std::uint64_t seed = 0;
  std::uint64_t trace_hash = 0;  // same seed, same hash, on every machine and build
  Totals totals;
  Verdict verdict;
  std::vector<Check> checks;
  std::vector<Series> series;
  std::vector<Shade> faults;
};

}  // namespace weir::sim
