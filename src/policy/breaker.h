// SPDX-License-Identifier: Apache-2.0
// Circuit breaker of one dependency (resilience4j's vocabulary, time-based window).
//
//   closed --rate >= threshold over >= minimum calls--> open --wait--> halfOpen --probes fail--> open
//                                                                          \--probes succeed--> closed, ramping
//
// Calls of an earlier state are recognised by their epoch and change nothing when they end late.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "base/rng.h"
#include "base/time.h"
#include "model/decision.h"
#include "model/policy_spec.h"

namespace weir::policy {

class Breaker {
 public:
  enum class State : std::uint8_t { closed, open, halfOpen };

  // Which state admitted a call; hand it back to record() or cancelled(), exactly once.
  using Epoch = std::uint32_t;

  struct Transition {
    State from;
    State to;
    MonoTime at;
    double failure_percent;  // of the calls that decided
    std::uint32_t calls;
    MonoTime open_until;     // to == open only
  };

  static constexpr std::uint32_t kNoRamp = std::numeric_limits<std::uint32_t>::max();

  explicit Breaker(const CircuitBreakerSpec& spec);

  // Would admit() admit? Changes nothing but what time alone changes.
  bool admits(MonoTime now);
  // nullopt = admitted; in half-open it takes one of exactly N probe permits. Refusal::until is the end of the open
  // state, or the latest end of the half-open state (sooner when a probe ends).
  std::optional<Refusal> admit(MonoTime now, Epoch& epoch);
  // An admitted call ended with a result that counts.
  void record(Epoch epoch, bool failure, MonoTime now, Rng& rng);
  // An admitted call was not made, or its result says nothing (throttled, cancelled): gives a probe permit back.
  void cancelled(Epoch epoch, MonoTime now);

  State state(MonoTime now);
  MonoTime open_until() const { return open_until_; }
  // Of the sliding window (closed), of the calls that opened it (open), or of the probes (halfOpen).
  double failure_percent(MonoTime now);
  std::uint32_t calls(MonoTime now);
  std::uint32_t probes_in_flight() const { return probes_out_; }
  // Concurrency during the gradual release after closing: the probe count at first, doubled whenever as many calls in
  // a row went well, halved (not below the probe count) by a failure. kNoRamp when there is no such limit.
  std::uint32_t ramp_limit(MonoTime now);
  // The oldest transition not taken yet; the newest kTransitionsKept are kept.
  std::optional<Transition> take_transition();

 private:
  static constexpr std::int64_t kSlots = 10;
  static constexpr std::size_t kTransitionsKept = 4;
  static constexpr std::uint32_t kRampEnd = 1u << 16;

  struct Slot {
    std::uint32_t calls = 0;
    std::uint32_t failures = 0;
  };
  struct Sum {
    std::uint32_t calls = 0;
    std::uint32_t failures = 0;
    double percent() const { return calls == 0 ? 0 : 100.0 * failures / calls; }
  };

  void advance(MonoTime now);
  void advance_window(MonoTime now);
  Sum window_sum() const;
  Sum sum(MonoTime now);
  void change(State to, MonoTime now, Sum because);
  void open(MonoTime now, Sum because);
  void close(MonoTime now, Sum because);
  void record_closed(bool failure, MonoTime now, Rng& rng);
  void record_probe(bool failure, MonoTime now, Rng& rng);
  void step_ramp(bool failure);
  void draw_jitter(Rng& rng);

  CircuitBreakerSpec spec_;
  Duration slot_;
  State state_ = State::closed;
  Epoch epoch_ = 1;
  std::array<Slot, kSlots> ring_{};
  std::int64_t current_slot_ = 0;
  MonoTime open_until_{};
  MonoTime half_open_until_{};
  MonoTime closed_since_{};
  Sum opened_because_{};
  double jitter_ = 0;                // share added to the wait, drawn at the last failure that could open
  std::uint32_t openings_ = 0;       // in a row; decides how long the next wait is
  std::uint32_t probes_left_ = 0;
  std::uint32_t probes_out_ = 0;
  Sum probes_{};
  std::uint32_t ramp_ = kNoRamp;
  std::uint32_t ramp_good_ = 0;
  std::array<Transition, kTransitionsKept> transitions_{};
  std::size_t transition_count_ = 0;
};

std::string_view to_text(Breaker::State state);  // "closed", "open", "halfOpen"

}  // namespace weir::policy
