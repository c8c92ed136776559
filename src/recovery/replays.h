// SPDX-License-Identifier: Apache-2.0
// All replays: plans, runs, and the operator's commands to them. Hears of every durable decision
// and hands it to the run it belongs to. I/O thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "async/clock.h"
#include "async/task_group.h"
#include "model/replay.h"
#include "ports/decision_sink.h"
#include "ports/store.h"
#include "recovery/approvals.h"
#include "recovery/forecast.h"
#include "recovery/live.h"
#include "recovery/replay_run.h"

namespace weir::recovery {

class Replays final : public ports::DecisionSink {
 public:
  Replays(async::Executor executor, ports::Store& store, async::Clock& clock, const Live& live);

  // Continues what the last process left. After the delivery engine has started.
  async::Task<Result<>> start();
  // Ends the drivers; the runs stay where they are, those too that somebody starts from now on.
  async::Task<> drain();

  // Freezes a selection and stores the plan. plan.makers: who makes it. Of both: a selection that
  // asks about what is redacted is audited as such first, and needs a reason (note_question()).
  async::Task<Result<Replay>> plan(ReplayPlan plan);
  async::Task<Result<Forecast>> dry_run(ReplayPlan plan);
  // The newest state, running ones included. Errors: unknown_replay.
  async::Task<Result<Replay>> get(ReplayId id);
  async::Task<Result<std::vector<Replay>>> list();
  // wanted: running (starts a plan, resumes a halted run), paused, aborted. Errors: unknown_replay,
  // wrong_state.
  // More errors: those of ReplayRun::command().
  async::Task<Result<Replay>> command(ReplayId id, ReplayState wanted, Doer doer,
                                      std::string hash = "", Duration wait = {});
  // Another plan for the members of a replay that has not been run. Errors: unknown_replay,
  // wrong_state, invalid_argument (a plan that cannot work, or another selection).
  async::Task<Result<Replay>> edit(ReplayId id, ReplayPlan plan);
  // What a yes to this plan would be a yes to; Wish::why is "" if it needs none. Errors:
  // unknown_replay.
  async::Task<Result<Wish>> wish(ReplayId id);
  Approvals& approvals() { return approvals_; }
  // A yes to the plan as it is now. Errors: unknown_replay, wrong_state (it needs none, or it is
  // over), and those of Approvals::grant().
  async::Task<Result<Approval>> approve(ReplayId id, Grant grant);
  // Half the rate of a run. Errors: unknown_replay, wrong_state.
  async::Task<Result<Replay>> slow(ReplayId id, std::string reason, std::string actor);
  // What it may release per second, now; of others the last checkpoint of their ramp.
  double rate(const Replay& replay) const;
  // Of a run under way; nullopt of others.
  std::optional<Duration> time_left(ReplayId id);
  // How many came into quarantine since the plan was made that would fit its selection.
  async::Task<Result<std::uint64_t>> joined_since(ReplayId id);
  // Of a run under way: its stop conditions against their limits. Empty of others.
  std::vector<policy::StopReading> stop_readings(ReplayId id);

  // A flow was removed for good: nobody waits for its deliveries any more.
  void flow_removed();

  void on_decision(const ports::DecisionRecord& record) override;

 private:
  ReplayRun& adopt(Replay replay);

  async::Executor executor_;
  ports::Store& store_;
  async::Clock& clock_;
  const Live& live_;
  Approvals approvals_;
  async::TaskGroup tasks_;
  bool draining_ = false;
  std::map<ReplayId, std::unique_ptr<ReplayRun>> runs_;
};

}  // namespace weir::recovery
