// SPDX-License-Identifier: Apache-2.0
// One run of a replay plan: releases its frozen deliveries at the plan's pace, canary first,
// watches the results, and stops by itself. Everything it needs to go on after a crash is in the
// store before it acts.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "async/clock.h"
#include "async/signal.h"
#include "async/task.h"
#include "async/task_group.h"
#include "model/replay.h"
#include "policy/ramp.h"
#include "policy/stop_conditions.h"
#include "ports/decision_sink.h"
#include "ports/store.h"
#include "recovery/approvals.h"
#include "recovery/live.h"
#include "recovery/staleness.h"

namespace weir::recovery {

class ReplayRun {
 public:
  ReplayRun(async::Executor executor, ports::Store& store, async::Clock& clock, const Live& live,
            Replay replay);

  const Replay& replay() const { return replay_; }

  // Until the run is over or stop() is called. Spawned once.
  async::Task<> run();
  void look_again();  // a flow was removed
  void stop();        // for shutdown: leaves the run where it is

  // A delivery of this run was settled (done, quarantined again, discarded), durably.
  void on_settled(const ports::DecisionRecord& record);

  // A call for a delivery of this run ended, whatever was decided then.
  void on_attempt(const Outcome& outcome);

  // Operator's words. Errors: wrong_state, plan_changed (`hash`, unless empty, is not that of the
  // plan), precondition_failed (of what starts or goes on). Durable with their audit row when they
  // return. wait: what cannot start now starts by itself as soon as its preconditions hold, if they
  // do within that time; zero = now or not at all. doer.break_glass: without the approval that it
  // needs (approval_required otherwise).
  async::Task<Result<>> command(ReplayState wanted, Doer doer, std::string hash = "",
                                Duration wait = {});
  // Half the rate from now on. Errors: wrong_state (not running, or as slow as it can be).
  async::Task<Result<>> slow(std::string reason, std::string actor);
  // Until it is done, if it goes on as it does; nullopt of a run that does not.
  std::optional<Duration> time_left() const;
  // Another plan for the same members, while none was sent. Errors: wrong_state, conflict.
  async::Task<Result<>> edit(ReplayPlan plan);

  double rate() const { return ramp_.rate(); }  // per second, now

  // The stop conditions against their limits, now.
  std::vector<policy::StopReading> stop_readings();

 private:
  // How a delivery of this run ended.
  struct Ending {
    DeliveryRef ref;
    bool succeeded = false;
    bool discarded = false;
    bool in_doubt = false;
    std::string group;  // hash, if it is in quarantine again
  };

  async::Task<Result<>> recount();
  async::Task<Result<>> skip_removed(ReplayCounts& counts);
  void count(const Ending& ending);
  async::Task<Result<bool>> step();  // false: wait for a result or a moment
  async::Task<Result<std::uint32_t>> release_next(std::uint32_t count);
  // refused: not all of them could be claimed, and none was. halted: the run is no longer running.
  enum class Claim : unsigned char { done, refused, halted };
  struct Claimable {
    std::vector<Delivery> rows;  // may be claimed now; others were skipped
    bool halted = false;         // the run is no longer running
    bool later = false;          // their key is busy with other deliveries: ask again in a moment
  };
  async::Task<Result<Claimable>> claimable(const std::vector<DeliveryRef>& refs);
  void say_waits_for(std::string_view key);
  enum class Fit : unsigned char { claim, skip, later };
  async::Task<Result<Fit>> fit_of(const Delivery& row);
  async::Task<Result<std::map<DeliveryRef, Delivery>>> rows_of(
      const std::vector<DeliveryRef>& refs);
  async::Task<Result<bool>> leave_out_stale(std::vector<Delivery>& rows);  // false: halted
  async::Task<Result<Claim>> claim(const std::vector<Delivery>& rows);
  async::Task<Result<Claim>> claim_one_by_one(const std::vector<Delivery>& rows);
  async::Task<Result<>> skip(std::vector<DeliveryRef> refs, ItemState as);
  // Pauses the run if one of their flows is not configured; whether it did.
  async::Task<Result<bool>> halt_without_flow(std::vector<DeliveryRef> refs);
  async::Task<Result<>> change_state(ReplayState next, std::string reason, std::string action,
                                     std::string actor, ports::Consent consent = {});
  async::Task<Result<>> checkpoint();
  async::Task<Result<bool>> complete();
  async::Task<Result<bool>> wait_for_rest();
  async::Task<Result<bool>> run_on();  // step() of a run that is running
  async::Task<Result<bool>> pass_canary();
  async::Task<Result<>> start(std::string reason, std::string actor, ports::Consent consent);
  bool lost_a_flow();  // one whose deliveries are under way was removed for good
  void forget();       // what only a run that goes on needs

  // replay_wait.cc
  bool is_waiting() const {
    return replay_.state == ReplayState::planned && replay_.waits_until != WallTime{};
  }
  async::Task<Result<>> begin_to_wait(std::string failing, Duration wait, Doer doer);
  async::Task<Result<>> end_wait(std::string why, std::string action, std::string reason,
                                 std::string actor);
  async::Task<Result<>> set_wait(WallTime until, std::string why, AuditEntry entry);
  async::Task<Result<bool>> wait_on();  // step() of a run that waits

  // replay_approval.cc
  async::Task<Result<ports::Consent>> consent(Doer doer);
  async::Task<Result<bool>> still_approved(bool now);  // false: the run was halted
  async::Task<Result<>> begin(bool starts, Doer doer);

  // replay_judge.cc
  async::Task<Result<std::string>> ask_preconditions();  // what fails; empty = nothing
  async::Task<Result<>> refuse(std::string failing, std::string actor);
  async::Task<Verdict> verify(ReplayCounts counts);
  async::Task<Result<bool>> verified();  // false: the run was halted
  async::Task<Result<bool>> stop_if_needed(
      StopConditions conditions);  // whether the run was halted
  policy::RunFacts facts();
  bool breaker_open();
  // Of a ramp that was slowed down, for people and the audit.
  async::Task<Result<>> note_slower(double before, std::string reason);
  ports::AddAudit slower_entry(double before, const policy::Ramp& slower, std::string reason,
                               std::string actor) const;
  double room_now();
  ReplayCounts since_resumed() const;
  async::Task<Result<>> learn_groups(const std::vector<Delivery>& rows);
  bool is_finished() const;
  bool everything_sent() const {
    return replay_.counts.sent + replay_.counts.skipped >= replay_.counts.planned;
  }
  void wake_at(MonoTime at);
  async::Task<> alarm(MonoTime at);
  Delivery released(const Delivery& row, Duration patience) const;
  bool goes_in_turn() const;
  // Of the flows of these that are configured.
  std::map<FlowId, Duration> event_timeouts_of(const std::vector<DeliveryRef>& refs) const;

  ports::Store& store_;
  async::Clock& clock_;
  const Live& live_;
  Replay replay_;
  policy::Ramp ramp_;
  async::Signal wake_;
  async::TaskGroup alarms_;
  // What is under way, with the hash of the group it came from (empty if that was before a
  // restart), to see whether it comes back.
  std::map<DeliveryRef, std::string> origin_;
  // Told while the items were being counted, which may or may not have shown it; as many as are
  // under way.
  std::vector<Ending> early_;
  struct Origin {
    std::string hash;
    std::string dependency;
  };
  std::map<GroupId, Origin> groups_;
  std::set<std::string, std::less<>> dependencies_;
  std::set<FlowId> flows_;
  policy::RecentLatencies latencies_;
  StaleCheck stale_;
  std::map<DeliveryRef, WallTime> expiries_;  // of the page that is claimed
  struct CallCount {
    std::uint64_t calls = 0;
    MonoTime at{};
    double per_second = 0;
  };
  std::map<std::string, CallCount, std::less<>> live_calls_;  // of dependencies_
  MonoTime begun_{};
  MonoTime slow_again_{};
  MonoTime next_verify_{};
  MonoTime next_ask_{};       // of a run that waits
  MonoTime next_look_{};      // at the flows
  MonoTime next_approval_{};  // looked at again
  DeliveryRef after_{};
  MonoTime last_result_{};
  MonoTime next_alarm_ = MonoTime::max();
  bool counted_ = false;
  bool dirty_ = false;
  MonoTime saved_{};
  bool stopping_ = false;
};

}  // namespace weir::recovery
