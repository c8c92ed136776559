// SPDX-License-Identifier: Apache-2.0
// A run that another person had to approve: asked when it starts, goes on and at each stage.
#include "recovery/replay_approval.h"

#include "recovery/effect_outlook.h"
#include "recovery/references.h"
#include "recovery/replay_run.h"
#include "recovery/shown.h"

namespace weir::recovery {
namespace {
constexpr Duration kAskApprovalEvery = std::chrono::seconds{5};

std::string edited_text(const ReplayPlan& plan) {
  return plan.edited == 0 ? "" : fmt::format(" ({} of them edited)", plan.edited);
}

}  // namespace

async::Task<Result<Wish>> wish_of(ports::Store& store, const Live& live, WallTime now,
                                  Replay replay) {
  const std::string id = to_text(replay.id);
  Wish wish{
      .act = {.target = id, .hash = plan_hash(live, replay.plan), .makers = replay.plan.makers},
      .what = fmt::format("replay {} of {} deliveries{}", id, replay.counts.planned,
                          edited_text(replay.plan))};
  if (!live.approvals) co_return wish;
  const ApprovalsSpec spec = live.approvals();
  policy::PlanFacts facts{.deliveries = replay.counts.planned,
                          .delivered = replay.plan.selection.delivered,
                          .edited = replay.plan.edited};
  if (spec.replay_in_doubt) {
    const auto doubt = co_await any_in_doubt(store, live, now, replay.id);
    facts.in_doubt = doubt.value_or(true);
  }
  wish.why = policy::why_plan_needs_approval(spec, facts);
  co_return wish;
}

// Of what is in front of us now: conflict if it became another state or plan meanwhile.
async::Task<Result<ports::Consent>> ReplayRun::consent(Doer doer) {
  const ReplayState before = replay_.state;
  const std::string hash = plan_hash(live_, replay_.plan);
  auto wish = co_await wish_of(store_, live_, clock_.wall(), replay_);
  if (!wish.ok()) co_return wish.error();
  if (!doer.subject.empty()) policy::add_maker(wish->act.makers, doer.subject);
  if (doer.reason.empty() && !doer.break_glass) doer.reason = replay_.plan.reason;
  Approvals approvals(store_, live_);
  auto consent = co_await approvals.consent(*std::move(wish), std::move(doer), clock_.wall());
  if (!consent.ok()) co_return consent;
  if (replay_.state != before || plan_hash(live_, replay_.plan) != hash)
    co_return Error{Code::conflict, "the replay changed in between", "look at it again"};
  co_return consent;
}

async::Task<Result<bool>> ReplayRun::still_approved(bool now) {
  if (!now && clock_.mono() < next_approval_) co_return true;
  next_approval_ = clock_.mono() + std::min(replay_.plan.rate.step, kAskApprovalEvery);
  const ReplayState before = replay_.state;
  Approvals approvals(store_, live_);
  auto why = co_await approvals.why_not_on(to_text(replay_.id), plan_hash(live_, replay_.plan));
  if (!why.ok()) {
    next_approval_ = {};  // nothing is sent before it is known
    co_return why.error();
  }
  if (replay_.state != before) co_return false;
  if (why->empty()) co_return true;
  auto halted = co_await change_state(ReplayState::paused, "approval: " + *why, "replay.pause",
                                      "weir");
  if (!halted.ok()) co_return halted.error();
  co_return false;
}

// Who resumes overrules what went wrong until then: only what follows counts for the next stop.
async::Task<Result<>> ReplayRun::begin(bool starts, Doer doer) {
  doer.goes_on = !starts;
  auto agreed = co_await consent(doer);
  if (!agreed.ok()) co_return agreed.error();
  next_approval_ = {};
  if (starts)
    co_return co_await start(std::move(doer.reason), std::move(doer.actor), *std::move(agreed));
  replay_.overruled = replay_.counts;
  replay_.resumed_at = clock_.wall();
  begun_ = clock_.mono();
  latencies_ = {};
  co_return co_await change_state(replay_.resume_to, std::move(doer.reason), "replay.resume",
                                  std::move(doer.actor), *std::move(agreed));
}

}  // namespace weir::recovery
