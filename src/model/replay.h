// SPDX-License-Identifier: Apache-2.0
// A replay: a plan (frozen selection, rate plan, canary, stop conditions) and its run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/delivery.h"
#include "model/position.h"

namespace weir {

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
  bool empty() const;
  bool operator==(const Selection&) const = default;
};

struct RatePlan {
  double start_per_second = 5;  // after the canary
  double max_per_second = 50;
  double ramp_factor = 2;  // multiplied in after each step that went well
  Duration step = std::chrono::seconds{5};
  std::uint32_t concurrency = 16;  // replayed deliveries out of quarantine and not yet settled
  bool operator==(const RatePlan&) const = default;
};

struct Canary {
  std::uint32_t count = 5;  // 0 = no canary; on by default for more than kCanaryAbove deliveries
  Duration hold = std::chrono::seconds{2};  // waited after the last canary result
  bool operator==(const Canary&) const = default;
};
inline constexpr std::uint64_t kCanaryAbove = 20;

struct StopConditions {
  double failure_share_percent =
      10;  // of settled deliveries in the run, from 10 settled on (and any canary failure)
  bool on_breaker_open = true;
  std::uint32_t same_fingerprint = 3;  // re-quarantined into the group they came from; 0 = off
  bool operator==(const StopConditions&) const = default;
};

struct ReplayPlan {
  Selection selection;
  RatePlan rate;
  Canary canary;
  StopConditions stop;
  std::string reason;  // why the operator replays
  std::string actor;   // local:<user>
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

enum class ItemState : std::uint8_t { planned, claimed, succeeded, failedAgain, skipped, inDoubt };
std::string_view to_text(ItemState state);

struct ReplayItem {
  ReplayId replay;
  DeliveryRef ref;
  ItemState state = ItemState::planned;
  bool operator==(const ReplayItem&) const = default;
};

// planned = all members of the frozen selection; sent + skipped + not yet sent = planned.
struct ReplayCounts {
  std::uint64_t planned = 0;
  std::uint64_t sent = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed_again = 0;
  std::uint64_t skipped = 0;
  std::uint64_t in_doubt = 0;
  std::uint64_t same_fingerprint = 0;  // of failed_again: into the group they came from
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
  ReplayCounts counts;
  bool operator==(const Replay&) const = default;
};

std::string encode_replay_plan(const ReplayPlan& plan);  // stable binary form, for the store
Result<ReplayPlan> decode_replay_plan(std::string_view blob);

}  // namespace weir
