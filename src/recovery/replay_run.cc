// SPDX-License-Identifier: Apache-2.0
#include "recovery/replay_run.h"

#include <limits>

#include "base/failpoint.h"
#include "base/seeded_bug.h"
#include "recovery/forecast.h"
#include "recovery/plan_checks.h"
#include "recovery/references.h"
#include "recovery/shown.h"

namespace weir::recovery {
namespace {
constexpr Duration kPatience = std::chrono::seconds{
    1};  // between looks when the store cannot be read
constexpr Duration kSavePatience = std::chrono::milliseconds{5};
constexpr Duration kSaveEvery = std::chrono::milliseconds{200};
}  // namespace

ReplayRun::ReplayRun(async::Executor executor, ports::Store& store, async::Clock& clock,
                     const Live& live, Replay replay)
    : store_(store),
      clock_(clock),
      live_(live),
      replay_(std::move(replay)),
      ramp_(replay_.plan.rate, clock.mono(), replay_.rate_now),
      wake_(executor),
      alarms_(executor),
      stale_(store, live, replay_.plan.staleness),
      begun_(clock.mono()) {
  // From here on by the monotonic clock: the wall clock may be set while the run goes on.
  const WallTime begun = std::max(replay_.started_at, replay_.resumed_at);
  if (begun != WallTime{}) begun_ -= std::max(clock.wall() - begun, Duration{});
}

void ReplayRun::look_again() {
  next_look_ = {};
  wake_.notify();
}

void ReplayRun::stop() {
  stopping_ = true;
  wake_.notify();
}

async::Task<> ReplayRun::run() {
  auto counted = co_await recount();
  while (!counted.ok() && !stopping_) {
    co_await clock_.sleep_until(clock_.mono() + kPatience);
    counted = co_await recount();
  }
  while (!stopping_ && !is_finished()) {
    auto again = co_await step();
    if (!again.ok()) wake_at(clock_.mono() + kPatience);
    if ((again.ok() && *again) || is_finished()) continue;
    co_await wake_.wait();
  }
  co_await alarms_.join();
  if (is_finished()) forget();
}

void ReplayRun::forget() {
  stale_ = StaleCheck(store_, live_, {});
  origin_.clear();
  groups_.clear();
  live_calls_.clear();
}

// An aborted run goes on listening to what it has sent, so that its report adds up.
bool ReplayRun::is_finished() const {
  return is_over(replay_.state) && replay_.counts.in_flight() == 0 && !dirty_;
}

// After a restart the items are the truth; counters in the replay's row are only its last
// checkpoint.
async::Task<Result<>> ReplayRun::recount() {
  ReplayCounts counts;
  origin_.clear();
  DeliveryRef after{};
  constexpr std::size_t kPage = 1000;
  for (bool end = false; !end;) {
    auto items = co_await store_.recovery().items(replay_.id, std::nullopt, after, kPage);
    if (!items.ok()) co_return items.error();
    for (const ReplayItem& item : *items) {
      ++counts.planned;
      const bool left_out = item.state == ItemState::skipped ||
                            (item.state == ItemState::stale &&
                             !WEIR_SEEDED_BUG("replay.stale_sent"));
      counts.sent += item.state != ItemState::planned && !left_out;
      counts.succeeded += item.state == ItemState::succeeded;
      const bool discarded = item.state == ItemState::discarded;
      counts.failed_again += item.state == ItemState::failedAgain || discarded;
      counts.discarded += discarded;
      counts.skipped += left_out;
      counts.stale += item.state == ItemState::stale;
      counts.in_doubt += item.state == ItemState::inDoubt;
      if (item.state != ItemState::claimed) continue;
      origin_.emplace(item.ref, "");
      flows_.insert(item.ref.flow);
    }
    end = items->size() < kPage;
    if (!end) after = items->back().ref;
  }
  counts.same_fingerprint = replay_.counts.same_fingerprint;
  auto gone = co_await skip_removed(counts);
  if (!gone.ok()) co_return gone;
  dirty_ = dirty_ || counts != replay_.counts;
  replay_.counts = counts;
  last_result_ = clock_.mono();  // a canary is held once more
  counted_ = true;
  for (const Ending& ending : std::exchange(early_, {})) count(ending);
  co_return Result<>{};
}

bool ReplayRun::lost_a_flow() {
  if (replay_.counts.in_flight() == 0 || clock_.mono() < next_look_) return false;
  next_look_ = clock_.mono() + kPatience;
  return std::ranges::any_of(flows_, [this](FlowId flow) { return !live_.flow(flow); });
}

bool ReplayRun::breaker_open() {
  for (const std::string& name : dependencies_) {
    const auto dependency = live_.dependency(name);
    if (dependency && dependency->breaker_open) return true;
  }
  return false;
}

async::Task<Result<bool>> ReplayRun::step() {
  // After a restart the items are counted again: a checkpoint is for people, and each claim is one.
  const bool resting = !is_running(replay_.state) || replay_.counts.in_flight() == 0;
  if (dirty_ && (resting || clock_.mono() - saved_ >= kSaveEvery)) {
    auto saved = co_await checkpoint();
    if (!saved.ok()) co_return saved.error();
  }
  if (replay_.state == ReplayState::planned) co_return co_await wait_on();
  if (lost_a_flow()) {
    auto gone = co_await skip_removed(replay_.counts);
    if (!gone.ok()) co_return gone.error();
    if (replay_.counts.in_flight() == 0)
      std::erase_if(flows_, [this](FlowId flow) { return !live_.flow(flow); });
  }
  const bool begun = replay_.state != ReplayState::planned && !is_over(replay_.state);
  // What is left of a halted run is its last verification, for which it is resumed.
  const bool only_verify = replay_.plan.verify.wanted() && replay_.plan.verify.at_end;
  if (begun && everything_sent() && (is_running(replay_.state) || !only_verify)) {
    if (replay_.counts.in_flight() == 0) co_return co_await complete();
    co_return co_await wait_for_rest();
  }
  if (!is_running(replay_.state)) co_return false;
  auto approved = co_await still_approved(false);
  if (!approved.ok()) co_return approved.error();
  if (!*approved) co_return true;
  auto halted = co_await stop_if_needed(replay_.plan.stop);
  if (!halted.ok()) co_return halted.error();
  if (*halted) co_return true;
  wake_at(clock_.mono() + kPatience);  // some conditions are reached without a result
  if (replay_.state == ReplayState::canary) co_return co_await pass_canary();
  co_return co_await run_on();
}

// Nothing is left to stop, but what was sent may take too long.
async::Task<Result<bool>> ReplayRun::wait_for_rest() {
  StopConditions conditions{.failure_share = {0}, .same_fingerprint = {0}, .breaker_open = {0}};
  conditions.duration = replay_.plan.stop.duration;
  if (!is_running(replay_.state) || conditions.duration.limit <= 0) co_return false;
  wake_at(clock_.mono() + kPatience);
  co_return co_await stop_if_needed(conditions);
}

async::Task<Result<bool>> ReplayRun::pass_canary() {
  const Canary& canary = replay_.plan.canary;
  const MonoTime now = clock_.mono();
  if (!policy::canary_passed(canary, replay_.counts, last_result_, now)) {
    const std::uint64_t room = replay_.plan.rate.concurrency -
                               std::min<std::uint64_t>(replay_.plan.rate.concurrency,
                                                       replay_.counts.in_flight());
    const auto count = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(policy::canary_release(canary, replay_.counts),
                                goes_in_turn() ? room / replay_.plan.rate.concurrency : room));
    const MonoTime held = last_result_ + canary.hold;
    if (count == 0 && replay_.counts.in_flight() == 0 && held > now) wake_at(held);
    if (count == 0) co_return false;
    auto sent = co_await release_next(count);
    if (!sent.ok()) co_return sent.error();
    co_return *sent > 0;
  }
  if (replay_.plan.verify.wanted() && replay_.plan.verify.after_canary) {
    auto good = co_await verified();
    if (!good.ok()) co_return good.error();
    if (!*good) co_return true;
  }
  auto approved = co_await still_approved(true);
  if (!approved.ok()) co_return approved.error();
  if (!*approved) co_return true;
  ramp_ = policy::Ramp(replay_.plan.rate, clock_.mono(), 0);
  auto passed = co_await change_state(ReplayState::running, "", "replay.canary_passed", "weir");
  if (!passed.ok()) co_return passed.error();
  co_return true;
}

async::Task<Result<bool>> ReplayRun::run_on() {
  const MonoTime now = clock_.mono();
  if (replay_.plan.verify.wanted() && replay_.plan.verify.each_step && now >= next_verify_) {
    const bool first = next_verify_ == MonoTime{};
    next_verify_ = now + replay_.plan.rate.step;
    if (!first) {
      auto good = co_await verified();
      if (!good.ok()) co_return good.error();
      if (!*good) co_return true;
    }
  }
  ramp_.limit(room_now(), now);
  policy::Pace pace = ramp_.pace(replay_.counts, now);
  replay_.rate_now = ramp_.unlimited();
  if (pace.release > 0 && goes_in_turn()) pace.release = replay_.counts.in_flight() == 0 ? 1 : 0;
  if (pace.release == 0) {
    wake_at(pace.ask_again);
    co_return false;
  }
  auto sent = co_await release_next(pace.release);
  if (!sent.ok()) co_return sent.error();
  co_return *sent > 0;
}

// There is nothing left to stop or to pause, but for a verification that came to no end.
async::Task<Result<bool>> ReplayRun::complete() {
  std::string reason;
  if (replay_.plan.verify.wanted() && replay_.plan.verify.at_end) {
    const ReplayState before = replay_.state;
    const Verdict verdict = co_await verify(replay_.counts);
    if (replay_.state != before) co_return true;
    if (verdict != Verdict::successful) {
      reason = fmt::format("verification {}: {}", to_text(verdict), what_fails(replay_.checked));
    }
    if (verdict == Verdict::inconclusive) {
      auto paused = co_await change_state(ReplayState::paused, reason, "replay.pause", "weir");
      if (!paused.ok()) co_return paused.error();
      co_return true;
    }
  }
  auto ended = co_await change_state(ReplayState::completed, reason, "replay.complete", "weir");
  if (!ended.ok()) co_return ended.error();
  co_return true;
}

ReplayCounts ReplayRun::since_resumed() const {
  ReplayCounts counts = replay_.counts;
  const ReplayCounts& before = replay_.overruled;
  counts.sent -= before.sent - before.in_flight();
  counts.succeeded -= before.succeeded;
  counts.failed_again -= before.failed_again;
  counts.in_doubt -= before.in_doubt;
  counts.same_fingerprint -= before.same_fingerprint;
  counts.discarded -= before.discarded;
  return counts;
}

void ReplayRun::wake_at(MonoTime at) {
  if (at == MonoTime::max() || at >= next_alarm_) return;
  next_alarm_ = at;
  alarms_.spawn(alarm(at));
}

async::Task<> ReplayRun::alarm(MonoTime at) {
  co_await clock_.sleep_until(at);
  if (next_alarm_ == at) next_alarm_ = MonoTime::max();
  wake_.notify();
}

void ReplayRun::on_attempt(const Outcome& outcome) { latencies_.add(outcome.latency); }

void ReplayRun::on_settled(const ports::DecisionRecord& record) {
  (void)WEIR_FAILPOINT("replay.settled");
  const DecisionKind kind = record.decision->kind;
  const Ending ending{.ref = record.ref,
                      .succeeded = kind == DecisionKind::done,
                      .discarded = kind == DecisionKind::discard,
                      .in_doubt = record.decision->in_doubt,
                      .group = std::string(record.group)};
  if (counted_) return count(ending);
  early_.push_back(ending);
}

void ReplayRun::count(const Ending& ending) {
  const auto origin = origin_.find(ending.ref);
  if (origin == origin_.end()) return;  // the recount found it settled already
  ReplayCounts& counts = replay_.counts;
  if (ending.succeeded) {
    ++counts.succeeded;
  } else if (ending.in_doubt && !ending.discarded) {
    ++counts.in_doubt;
  } else {
    ++counts.failed_again;
    counts.discarded += ending.discarded;
  }
  const bool as_before = !origin->second.empty() && origin->second == ending.group;
  if (!ending.succeeded && as_before) ++counts.same_fingerprint;
  origin_.erase(origin);
  ramp_.settled(ending.succeeded);
  last_result_ = clock_.mono();
  dirty_ = true;
  wake_.notify();
}

// Only what changed in the state that the store knows: a new one on its way must not be undone.
async::Task<Result<>> ReplayRun::checkpoint() {
  dirty_ = false;
  saved_ = clock_.mono();
  ports::WriteBatch batch{.lane = ports::Lane::operate, .patience = kSavePatience};
  batch.preconditions.emplace_back(ports::ReplayIs{replay_.id, replay_.state});
  batch.mutations.emplace_back(ports::PutReplay{replay_});
  auto receipt = co_await store_.writer().commit(std::move(batch));
  dirty_ = dirty_ || !receipt.ok() || !receipt->applied;
  if (!receipt.ok()) co_return receipt.error();
  co_return Result<>{};
}

async::Task<Result<>> ReplayRun::change_state(ReplayState next, std::string reason,
                                              std::string action, std::string actor,
                                              ports::Consent consent) {
  if (is_over(replay_.state))
    co_return Error{Code::conflict, "the replay ended in between", "look at it again"};
  Replay changed = replay_;
  const bool halts = next == ReplayState::paused || next == ReplayState::stopped;
  if (halts && is_running(replay_.state)) changed.resume_to = replay_.state;
  changed.state = next;
  changed.state_reason = reason;
  changed.waits_until = {};
  if (is_over(next)) changed.finished_at = clock_.wall();
  if (replay_.state == ReplayState::planned && is_running(next)) changed.started_at = clock_.wall();
  const ReplayCounts& counts = replay_.counts;
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.preconditions.emplace_back(ports::ReplayIs{replay_.id, replay_.state});
  batch.mutations.emplace_back(ports::PutReplay{changed});
  batch.mutations.emplace_back(ports::AddAudit{AuditEntry{
      .at = clock_.wall(),
      .actor = std::move(actor),
      .action = std::move(action),
      .target = to_text(replay_.id),
      .reason = std::move(reason),
      .detail = fmt::format("sent {} succeeded {} failed again {} skipped {} in doubt {} of {}",
                            counts.sent, counts.succeeded, counts.failed_again, counts.skipped,
                            counts.in_doubt, counts.planned)}});
  ports::add_to(batch, std::move(consent));
  auto receipt = co_await store_.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  if (!receipt->applied)
    co_return Error{Code::conflict, "the replay changed in between", "look at it again"};
  (void)WEIR_FAILPOINT("replay.after_state");
  // Results may have come in while the state was written: they stay.
  if (replay_.started_at == WallTime{}) begun_ = clock_.mono();
  replay_.resume_to = changed.resume_to;
  replay_.state = changed.state;
  replay_.state_reason = changed.state_reason;
  replay_.waits_until = changed.waits_until;
  replay_.started_at = changed.started_at;
  replay_.finished_at = changed.finished_at;
  dirty_ = true;
  wake_.notify();
  co_return Result<>{};
}

async::Task<Result<>> ReplayRun::command(ReplayState wanted, Doer doer, std::string hash,
                                         Duration wait) {
  const ReplayState state = replay_.state;
  const bool halted = state == ReplayState::paused || state == ReplayState::stopped;
  const bool starts = wanted == ReplayState::running && state == ReplayState::planned;
  const bool resume = wanted == ReplayState::running && halted;
  const bool pause = wanted == ReplayState::paused && (is_running(state) || is_waiting());
  const bool abort = wanted == ReplayState::aborted && !is_over(state) &&
                     state != ReplayState::planning;
  if (!starts && !resume && !pause && !abort) {
    co_return Error{Code::wrong_state,
                    fmt::format("replay {} is {}", to_text(replay_.id), to_text(state)),
                    "weir replay get " + to_text(replay_.id)};
  }
  if (pause && is_waiting()) {
    co_return co_await end_wait("it no longer waits for its preconditions", "replay.pause",
                                std::move(doer.reason), std::move(doer.actor));
  }
  if (pause || abort) {
    co_return co_await change_state(wanted, std::move(doer.reason),
                                    pause ? "replay.pause" : "replay.abort", std::move(doer.actor));
  }
  const std::string present = plan_hash(live_, replay_.plan);
  if (!hash.empty() && hash != present && !WEIR_SEEDED_BUG("replay.plan_hash_not_checked")) {
    co_return Error{
        Code::plan_changed,
        fmt::format("replay {} has plan {}, not {}", to_text(replay_.id), present, hash),
        "read it again: weir replay get " + to_text(replay_.id)};
  }
  const bool may_wait = starts && wait > Duration::zero();
  if (may_wait) {  // what would be refused then is refused now
    auto agreed = co_await consent(doer);
    if (!agreed.ok()) co_return agreed.error();
  }
  auto failing = co_await ask_preconditions();
  if (!failing.ok()) co_return failing.error();
  if (!failing->empty()) {
    co_return may_wait ? co_await begin_to_wait(*failing, wait, std::move(doer))
                       : co_await refuse(*failing, std::move(doer.actor));
  }
  co_return co_await begin(starts, std::move(doer));
}

async::Task<Result<>> ReplayRun::start(std::string reason, std::string actor,
                                       ports::Consent consent) {
  const bool canary = canary_size(replay_.plan.canary, replay_.counts.planned) > 0;
  co_return co_await change_state(canary ? ReplayState::canary : ReplayState::running,
                                  std::move(reason), "replay.start", std::move(actor),
                                  std::move(consent));
}

std::optional<Duration> ReplayRun::time_left() const {
  if (!is_running(replay_.state)) return {};
  const ReplayCounts& counts = replay_.counts;
  ReplayPlan rest = replay_.plan;
  if (goes_in_turn()) rest.rate.concurrency = 1;
  const std::uint64_t first = canary_size(rest.canary, counts.planned);
  const bool canary = replay_.state == ReplayState::canary;
  rest.canary = {.count = canary ? static_cast<std::uint32_t>(first) : 0, .hold = rest.canary.hold};
  if (!canary) rest.rate.start_per_second = std::max(ramp_.unlimited(), 1e-3);
  const std::uint64_t left = counts.planned - counts.skipped -
                             std::min(counts.sent, counts.planned - counts.skipped);
  const double room = ramp_.ceiling() > 0 ? ramp_.ceiling()
                                          : std::numeric_limits<double>::infinity();
  return estimate(rest, left, std::max(latencies_.median(), Duration{}), room).total;
}

async::Task<Result<>> ReplayRun::edit(ReplayPlan plan) {
  if (replay_.state != ReplayState::planned) {
    co_return Error{Code::wrong_state,
                    fmt::format("replay {} is {}", to_text(replay_.id), to_text(replay_.state)),
                    "a plan is edited before it is run; abort this one and plan again"};
  }
  Approvals approvals(store_, live_);
  auto voided = co_await approvals.void_open(to_text(replay_.id), plan.actor, clock_.wall());
  if (!voided.ok()) co_return voided.error();
  if (replay_.state != ReplayState::planned)
    co_return Error{Code::conflict, "the replay changed in between", "look at it again"};
  // Whoever let it wait had read another plan; known at once, so that it does not start meanwhile.
  const WallTime waited = std::exchange(replay_.waits_until, WallTime{});
  const std::string said = waited == WallTime{} ? replay_.state_reason
                                                : std::exchange(replay_.state_reason, "");
  Replay changed = replay_;
  std::vector<std::string> makers = replay_.plan.makers;
  for (const std::string& editor : plan.makers) policy::add_maker(makers, editor);
  changed.plan = std::move(plan);
  changed.plan.makers = std::move(makers);
  changed.plan.edited = replay_.plan.edited;
  changed.plan.revisions = replay_.plan.revisions;
  changed.checked.clear();
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.preconditions.emplace_back(ports::ReplayIs{replay_.id, ReplayState::planned});
  batch.mutations.emplace_back(ports::PutReplay{changed});
  batch.mutations.emplace_back(ports::AddAudit{
      AuditEntry{.at = clock_.wall(),
                 .actor = changed.plan.actor,
                 .action = "replay.edit",
                 .target = to_text(replay_.id),
                 .reason = changed.plan.reason,
                 .detail = fmt::format("plan {} becomes {}", plan_hash(live_, replay_.plan),
                                       plan_hash(live_, changed.plan))}});
  ports::add_to(batch, *std::move(voided));
  const ReplayPlan before = std::exchange(replay_.plan, changed.plan);
  auto receipt = co_await store_.writer().commit(std::move(batch));
  if (receipt.ok() && receipt->applied) {
    ramp_ = policy::Ramp(replay_.plan.rate, clock_.mono(), 0);
    stale_ = StaleCheck(store_, live_, replay_.plan.staleness);
    replay_.checked.clear();
    co_return Result<>{};
  }
  replay_.plan = before;
  if (replay_.state == ReplayState::planned) {  // it has not started meanwhile
    replay_.waits_until = waited;
    replay_.state_reason = said;
  }
  if (!receipt.ok()) co_return receipt.error();
  co_return Error{Code::conflict, "the replay changed in between", "look at it again"};
}

}  // namespace weir::recovery
