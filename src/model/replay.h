// SPDX-License-Identifier: Apache-2.0
// A replay: a plan (frozen selection, rate plan, canary, stop conditions) and its run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/delivery.h"
#include "model/plan_check.h"
#include "model/position.h"

namespace weir {

// What else is known of a quarantined delivery.
enum class Mark : std::uint8_t { any, archived, exhausted, inDoubt };
std::string_view to_text(Mark mark);
std::optional<Mark> parse_mark(std::string_view text);

// What a plan selects among quarantined deliveries. All given conditions must hold; all absent is
// an error.
struct Selection {
  std::string group;  // fingerprint hash
  std::string flow;
  std::optional<FailureClass> failure;
  std::optional<WallTime> since;  // entered quarantine at or after
  std::optional<WallTime> until;  // ... and before
  std::string where;              // event pattern as JSON text
  std::vector<std::string> ids;   // event references: stream#seq or CloudEvents ids
  std::string dependency;
  std::string key;           // ordering key
  std::string type;          // of the event
  std::uint32_t status = 0;  // HTTP status of the last attempt; 0 = any
  Mark mark = Mark::any;
  // A rewind: what the flow has delivered, instead of what is in quarantine; since and until are of
  // the time when the event came in.
  bool delivered = false;
  bool empty() const;
  // What it may quote of events: pattern, references, key. The rest says nothing about them.
  void forget_values() { where.clear(), ids.clear(), key.clear(); }
  bool operator==(const Selection&) const = default;
};

struct RatePlan {
  double start_per_second = 5;  // after the canary
  double max_per_second = 50;
  double ramp_factor = 2;  // multiplied in after each step that went well
  Duration step = std::chrono::seconds{5};
  std::uint32_t concurrency = 16;  // replayed deliveries out of quarantine and not yet settled
  // Percent of what the dependency can take per second (its rate limit, or else its capacity) that
  // the replay may add up to together with the live traffic; 0 = the rate alone counts.
  double share = 0;
  // The rates one after the other, each after a step that went well, instead of the factor; the
  // first and the last are start_per_second and max_per_second. Empty = by the factor.
  std::vector<double> steps;
  bool operator==(const RatePlan&) const = default;
};
inline constexpr std::size_t kRateStepsMax = 20;
// What follows `rate` when a step went well.
double next_rate(const RatePlan& plan, double rate);

struct Canary {
  std::uint32_t count = 5;  // 0 = no canary; on by default for more than kCanaryAbove deliveries
  Duration hold = std::chrono::seconds{2};  // waited after the last canary result
  double share = 0;  // percent of the deliveries, instead of a count; 0 = the count
  bool operator==(const Canary&) const = default;
};
inline constexpr std::uint64_t kCanaryAbove = 20;

// What happens to a delivery that is too old: its event's expirytime has passed, or a newer event
// of its ordering key has been delivered since. ask: the run pauses, or does not start.
enum class Stale : std::uint8_t { replay, skip, ask };
std::string_view to_text(Stale stale);

struct Staleness {
  Stale expired = Stale::replay;
  Stale superseded = Stale::replay;
  bool matters() const { return expired != Stale::replay || superseded != Stale::replay; }
  bool operator==(const Staleness&) const = default;
};

// stop: until an operator resumes or aborts. pause: the same, as a pause. slow: half the rate, and
// what went wrong is counted anew; a run that is as slow as it can be stops.
enum class StopAction : std::uint8_t { stop, pause, slow };
std::string_view to_text(StopAction action);

struct StopRule {
  double limit = 0;  // 0 = off
  StopAction then = StopAction::stop;
  bool operator==(const StopRule&) const = default;
};

struct StopConditions {
  StopRule failure_share{10};    // percent of what settled, from 10 settled on (any, of a canary)
  StopRule same_fingerprint{3};  // deliveries that went back into the group they came from
  StopRule breaker_open{1};      // the breaker of a dependency that is called; 1 = on
  StopRule latency;              // seconds: p95 of the run's last 100 attempts, from 10 on
  StopRule live_lag;             // seconds: age of the oldest live event that is ready
  StopRule duration;             // seconds since the run began
  bool operator==(const StopConditions&) const = default;
};

struct ReplayPlan {
  Selection selection;
  std::vector<PlanCheck> preconditions;
  RatePlan rate;
  Canary canary;
  Verification verify;
  StopConditions stop;
  Staleness staleness;
  ReplayTerms terms;
  std::string reason;               // why the operator replays
  std::string actor;                // local:<user>
  std::vector<std::string> makers;  // subjects: who made it, and who changed it
  bool operator==(const ReplayPlan&) const = default;
};

// planning -> planned -> canary -> running -> completed
// canary, running -> paused -> canary, running;  planned, canary, running, paused -> aborted
// canary, running -> stopped (by a stop condition) -> canary, running (resume) | aborted
enum class ReplayState : std::uint8_t {
  planning,
  planned,
  canary,
  running,
  paused,
  stopped,
  aborted,
  completed
};
std::string_view to_text(ReplayState state);
inline bool is_over(ReplayState state) { return state >= ReplayState::aborted; }
inline bool is_running(ReplayState state) {
  return state == ReplayState::canary || state == ReplayState::running;
}

// stale: skipped because it was too old. discarded: sent, and given up by its handler's word or its
// failure mode.
enum class ItemState : std::uint8_t {
  planned,
  claimed,
  succeeded,
  failedAgain,
  skipped,
  inDoubt,
  stale,
  discarded
};
std::string_view to_text(ItemState state);

struct ReplayItem {
  ReplayId replay;
  DeliveryRef ref;
  ItemState state = ItemState::planned;
  bool operator==(const ReplayItem&) const = default;
};

// How many deliveries go first.
std::uint64_t canary_size(const Canary& canary, std::uint64_t planned);

// planned = all members of the frozen selection; sent + skipped + not yet sent = planned.
struct ReplayCounts {
  std::uint64_t planned = 0;
  std::uint64_t sent = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed_again = 0;
  std::uint64_t skipped = 0;
  std::uint64_t in_doubt = 0;
  std::uint64_t stale = 0;             // of skipped: too old by the plan's staleness
  std::uint64_t same_fingerprint = 0;  // of failed_again: into the group they came from
  std::uint64_t discarded = 0;         // of failed_again: given up, not back in quarantine
  std::uint64_t in_flight() const { return sent - succeeded - failed_again - in_doubt; }
  bool operator==(const ReplayCounts&) const = default;
};

struct Replay {
  ReplayId id;
  ReplayPlan plan;
  ReplayState state = ReplayState::planning;
  ReplayState resume_to = ReplayState::running;  // where paused and stopped go on
  std::string state_reason;                      // why it stopped, paused, aborted
  WallTime created_at{};
  WallTime cutoff{};  // members entered quarantine before this
  WallTime started_at{};
  WallTime finished_at{};
  double rate_now = 0;  // per second, the checkpoint of the ramp
  // The newest answers: to the preconditions, and once the run has begun to its verification.
  std::vector<CheckResult> checked;
  ReplayCounts counts;
  // What an operator who resumed the run, or its slowing down, overruled: only what follows counts
  // for the next stop.
  ReplayCounts overruled;
  WallTime resumed_at{};  // the last time; zero = never
  // A planned one starts by itself as soon as its preconditions hold, until then; zero = it waits
  // for an operator.
  WallTime waits_until{};
  bool operator==(const Replay&) const = default;
};

std::string encode_replay_plan(const ReplayPlan& plan);  // stable binary form, for the store
Result<ReplayPlan> decode_replay_plan(std::string_view blob);

std::string encode_check_results(const std::vector<CheckResult>& results);
Result<std::vector<CheckResult>> decode_check_results(std::string_view blob);

}  // namespace weir
