// SPDX-License-Identifier: Apache-2.0
// What a run is judged by: its preconditions before it starts, its stop conditions while it runs,
// and its verification.
#include <algorithm>
#include <limits>

#include "recovery/effect_outlook.h"
#include "recovery/plan_checks.h"
#include "recovery/references.h"
#include "recovery/replay_run.h"
#include "recovery/shown.h"

namespace weir::recovery {
namespace {

bool asks_for_doubt(const std::vector<PlanCheck>& checks) {
  return std::ranges::any_of(
      checks, [](const PlanCheck& check) { return check.kind == CheckKind::noneInDoubt; });
}

}  // namespace

async::Task<Result<std::string>> ReplayRun::ask_preconditions() {
  const std::vector<PlanCheck> checks = replay_.plan.preconditions;
  if (checks.empty()) co_return std::string();
  const ReplayState before = replay_.state;
  const std::string hash = plan_hash(live_, replay_.plan);
  std::optional<bool> doubt;
  if (asks_for_doubt(checks))
    doubt = co_await any_in_doubt(store_, live_, clock_.wall(), replay_.id);
  auto results = co_await ask_all(live_, checks, clock_.wall(), doubt);
  if (replay_.state != before || plan_hash(live_, replay_.plan) != hash)
    co_return Error{Code::conflict, "the replay changed in between", "look at it again"};
  replay_.checked = results;
  dirty_ = true;
  wake_.notify();
  co_return overall(results) == Verdict::successful ? std::string() : what_fails(results);
}

async::Task<Result<>> ReplayRun::refuse(std::string failing, std::string actor) {
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::AddAudit{AuditEntry{.at = clock_.wall(),
                                                          .actor = std::move(actor),
                                                          .action = "replay.refused",
                                                          .target = to_text(replay_.id),
                                                          .detail = "precondition: " + failing}});
  auto receipt = co_await store_.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  co_return Error{Code::precondition_failed, failing, "weir replay get " + to_text(replay_.id)};
}

async::Task<Verdict> ReplayRun::verify(ReplayCounts counts) {
  const std::vector<PlanCheck> checks = replay_.plan.verify.checks;
  auto results = co_await ask_all(live_, checks, clock_.wall(), std::nullopt);
  if (replay_.plan.verify.nothing_returned) {
    const std::uint64_t back = counts.failed_again - counts.discarded + counts.in_doubt;
    results.insert(results.begin(),
                   CheckResult{back == 0 ? Verdict::successful : Verdict::failed,
                               "nothing back in quarantine", fmt::format("{} are", back)});
  }
  replay_.checked = results;
  dirty_ = true;
  co_return overall(results);
}

async::Task<Result<bool>> ReplayRun::verified() {
  const ReplayState before = replay_.state;
  const Verdict verdict = co_await verify(since_resumed());
  if (replay_.state != before) co_return false;
  if (verdict == Verdict::successful) co_return true;
  const bool failed = verdict == Verdict::failed;
  auto halted = co_await change_state(
      failed ? ReplayState::stopped : ReplayState::paused,
      fmt::format("verification {}: {}", to_text(verdict), what_fails(replay_.checked)),
      failed ? "replay.stop" : "replay.pause", "weir");
  if (!halted.ok()) co_return halted.error();
  co_return false;
}

// What the dependencies have left for a plan that asks for a share of them.
double ReplayRun::room_now() {
  double room = std::numeric_limits<double>::infinity();
  if (replay_.plan.rate.share <= 0) return room;
  const MonoTime now = clock_.mono();
  for (const std::string& name : dependencies_) {
    const auto dependency = live_.dependency(name);
    if (!dependency) continue;
    CallCount& seen = live_calls_[name];
    const double passed = std::chrono::duration<double>(now - seen.at).count();
    if (seen.at == MonoTime{} || dependency->live_calls < seen.calls) {
      seen = {dependency->live_calls, now, 0};
    } else if (passed >= 1) {
      const auto calls = static_cast<double>(dependency->live_calls - seen.calls);
      seen = {dependency->live_calls, now, calls / passed};
    }
    const double limit = dependency->rate_limit > 0 ? dependency->rate_limit : dependency->capacity;
    room = std::min(room, policy::room_of_share(replay_.plan.rate, limit, seen.per_second));
  }
  return room;
}

policy::RunFacts ReplayRun::facts() {
  policy::RunFacts facts{.counts = since_resumed(),
                         .canary = replay_.state == ReplayState::canary,
                         .breaker_open = breaker_open(),
                         .latency_p95 = latencies_.p95()};
  for (const FlowId flow : flows_) facts.live_lag = std::max(facts.live_lag, live_.live_lag(flow));
  facts.running = clock_.mono() - begun_;
  return facts;
}

std::vector<policy::StopReading> ReplayRun::stop_readings() {
  return policy::stop_readings(replay_.plan.stop, facts());
}

// Whether the run was halted.
async::Task<Result<bool>> ReplayRun::stop_if_needed(StopConditions conditions) {
  const policy::RunFacts seen = facts();
  auto verdict = policy::stop_check(conditions, seen);
  if (!verdict) co_return false;
  if (verdict->action == StopAction::slow) {
    const MonoTime now = clock_.mono();
    if (seen.canary || now < slow_again_) co_return false;
    slow_again_ = now + replay_.plan.rate.step;
    const double before = ramp_.rate();
    if (ramp_.slow_down(now)) {
      replay_.overruled = replay_.counts;
      latencies_ = {};
      auto noted = co_await note_slower(before, verdict->reason);
      if (!noted.ok()) co_return noted.error();
      co_return false;
    }
    verdict->reason += "; the run is as slow as it can be";
  }
  const bool pause = verdict->action == StopAction::pause;
  auto halted = co_await change_state(pause ? ReplayState::paused : ReplayState::stopped,
                                      verdict->reason, pause ? "replay.pause" : "replay.stop",
                                      "weir");
  if (!halted.ok()) co_return halted.error();
  co_return true;
}

}  // namespace weir::recovery
