// SPDX-License-Identifier: Apache-2.0
// Circuit breaker of one dependency (resilience4j's vocabulary, time-based window).
//
//   closed --rate >= threshold over >= minimum calls--> open --wait--> halfOpen --probes fail-->
//   open
//                                                                          \--probes succeed-->
//                                                                          closed, ramping
//
// Calls of an earlier state are recognised by their epoch and change nothing when they end late.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/rng.h"
#include "base/time.h"
#include "model/decision.h"
#include "model/policy_spec.h"
#include "policy/slots.h"

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
    double slow_percent;
    std::uint32_t calls;
    MonoTime open_until;  // to == open only
    bool by_hand = false;
  };

  static constexpr std::uint32_t kNoRamp = std::numeric_limits<std::uint32_t>::max();

  explicit Breaker(const CircuitBreakerSpec& spec);
  // Other rules: it stays open, half-open or closed; only another window begins empty.
  void update(const CircuitBreakerSpec& spec, MonoTime now);

  // Why admit() would refuse; nullopt = it would admit. Changes nothing but what time alone
  // changes.
  std::optional<Refusal> refusal(MonoTime now);
  bool admits(MonoTime now) { return !refusal(now).has_value(); }
  // nullopt = admitted; in half-open it takes one of exactly N probe permits. Refusal::until is the
  // end of the open state, or the latest end of the half-open state (sooner when a probe ends).
  std::optional<Refusal> admit(MonoTime now, Epoch& epoch);
  // An admitted call ended with a result that counts; `slow` = it took longer than
  // slowCallDurationThreshold.
  void record(Epoch epoch, bool failure, MonoTime now, Rng& rng, bool slow = false);
  // An admitted call ended with a result that says nothing about the dependency's health
  // (throttled, cancelled). It uses up its probe permit; when all probes were like that, N new ones
  // are permitted after the base wait.
  void inconclusive(Epoch epoch, MonoTime now);
  // An admitted call was never made: gives its probe permit back.
  void cancelled(Epoch epoch, MonoTime now);

  // By hand (Polly's manual control). open: nothing is admitted before `until`, then probes decide.
  // closed: nothing trips it before `until`; then, as after release(), the rules hold again, and a
  // breaker that was opened by hand is half-open.
  void force_open(MonoTime until, MonoTime now);
  void force_closed(MonoTime until, MonoTime now);
  void release(MonoTime now);
  bool is_forced(MonoTime now);
  // Closed, with nothing known of any call; those under way will change nothing.
  void forget(MonoTime now);

  State state(MonoTime now);
  MonoTime open_until() const { return open_until_; }
  // When it left the closed state; openings after failed probes do not count anew. Only if not
  // closed.
  MonoTime tripped_at() const { return tripped_at_; }
  // Of the sliding window (closed), of the calls that opened it (open), or of the probes
  // (halfOpen).
  double failure_percent(MonoTime now);
  double slow_percent(MonoTime now);
  std::uint32_t calls(MonoTime now);
  std::uint32_t probes_in_flight() const { return probes_out_; }
  // Half-open for so long without a single probe: nobody calls it, and nothing is known to be
  // wrong.
  bool is_idle(MonoTime now);
  // Concurrency during the gradual release after closing: the probe count at first, doubled after
  // each batch of as many calls whose failure rate stayed below the threshold, back to the probe
  // count after one that did not. kNoRamp when there is no such limit.
  std::uint32_t ramp_limit(MonoTime now);
  // How long it has been closed; without an end in sight if it never opened. Zero when it is not.
  Duration closed_for(MonoTime now) {
    if (state(now) != State::closed) return Duration{};
    return closed_since_ == MonoTime{} ? Duration::max() : now - closed_since_;
  }
  // The oldest transition not taken yet; the newest kTransitionsKept are kept.
  std::optional<Transition> take_transition();

 private:
  static constexpr std::int64_t kSlots = 10;
  static constexpr std::size_t kTransitionsKept = 16;
  static constexpr std::uint32_t kRampEnd = 1u << 16;
  static constexpr Duration kIdleAfter = std::chrono::seconds{10};

  struct Sum {
    std::uint32_t calls = 0;
    std::uint32_t failures = 0;
    std::uint32_t slow = 0;
    void add(bool failure, bool was_slow) {
      ++calls;
      failures += failure ? 1 : 0;
      slow += was_slow ? 1 : 0;
    }
    double percent() const { return calls == 0 ? 0 : 100.0 * failures / calls; }
    double slow_percent() const { return calls == 0 ? 0 : 100.0 * slow / calls; }
  };

  void advance(MonoTime now);
  void end_open(MonoTime now);
  void half_open(MonoTime now);
  void end_half_open(MonoTime now);
  void permit_probes(MonoTime until);
  void update_half_open(MonoTime now);
  MonoTime longest_half_open(MonoTime since) const;
  std::uint32_t probes_left() const;
  Sum sum(MonoTime now);
  bool too_many(const Sum& sum) const;
  std::string describe(const Sum& sum) const;
  void change(State to, MonoTime now, const Sum& because);
  bool was_well(MonoTime now) const;
  void open(MonoTime now, const Sum& because);
  void close(MonoTime now, const Sum& because);
  void record_closed(bool failure, bool slow, MonoTime now, Rng& rng);
  void record_probe(bool failure, bool slow, MonoTime now, Rng& rng);
  void after_probe(MonoTime now);
  void step_ramp(bool failure, bool slow);

  CircuitBreakerSpec spec_;
  State state_ = State::closed;
  Epoch epoch_ = 1;
  SlotRing<Sum, kSlots> window_;
  MonoTime open_until_{};
  MonoTime half_open_until_{};
  MonoTime half_open_since_{};
  MonoTime closed_since_{};
  MonoTime tripped_at_{};
  bool forced_open_ = false;
  MonoTime forced_closed_until_ = MonoTime::min();
  Sum opened_because_{};
  double jitter_ =
      0;  // share of the wait that is added to it, drawn when a result opens the breaker
  std::uint32_t openings_ = 0;     // in a row; decides how long the next wait is
  std::uint32_t probes_used_ = 0;  // under way or ended; not those that were never made
  std::uint32_t probes_out_ = 0;
  Sum probes_{};
  std::uint32_t ramp_ = kNoRamp;
  Sum ramp_batch_{};
  std::array<Transition, kTransitionsKept> transitions_{};
  std::size_t transition_count_ = 0;
};

std::string_view to_text(Breaker::State state);  // "closed", "open", "halfOpen"

}  // namespace weir::policy
