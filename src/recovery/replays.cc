// SPDX-License-Identifier: Apache-2.0
#include "recovery/replays.h"

#include "recovery/hidden_question.h"
#include "recovery/references.h"
#include "recovery/replay_approval.h"
#include "recovery/replay_plan.h"
#include "recovery/shown.h"

namespace weir::recovery {

Replays::Replays(async::Executor executor, ports::Store& store, async::Clock& clock,
                 const Live& live)
    : executor_(executor),
      store_(store),
      clock_(clock),
      live_(live),
      approvals_(store, live),
      tasks_(executor) {}

async::Task<Result<>> Replays::start() {
  auto aborted = co_await abort_half_made_plans(store_, clock_);
  if (!aborted.ok()) co_return aborted;
  auto replays = co_await store_.recovery().replays();
  if (!replays.ok()) co_return replays.error();
  for (Replay& replay : *replays) {
    const bool under_way = !is_over(replay.state) && replay.state >= ReplayState::canary;
    const bool awaited = replay.state == ReplayState::aborted && replay.counts.in_flight() > 0;
    const bool waits = replay.state == ReplayState::planned && replay.waits_until != WallTime{};
    if (under_way || awaited || waits) adopt(std::move(replay));
  }
  co_return Result<>{};
}

ReplayRun& Replays::adopt(Replay replay) {
  const ReplayId id = replay.id;
  auto& run = runs_[id];
  run = std::make_unique<ReplayRun>(executor_, store_, clock_, live_, std::move(replay));
  if (draining_)
    run->stop();  // it goes on in the next process
  else
    tasks_.spawn(run->run());
  return *run;
}

async::Task<> Replays::drain() {
  draining_ = true;
  for (auto& [id, run] : runs_) run->stop();
  co_await tasks_.join();
}

async::Task<Result<Replay>> Replays::plan(ReplayPlan plan) {
  auto noted = co_await note_question(
      store_, clock_, live_, plan.selection,
      {.by = "the plan of a replay", .actor = plan.actor, .reason = plan.reason});
  if (!noted.ok()) co_return noted.error();
  co_return co_await make_plan(store_, clock_, live_, std::move(plan));
}

async::Task<Result<Forecast>> Replays::dry_run(ReplayPlan plan) {
  auto noted = co_await note_question(
      store_, clock_, live_, plan.selection,
      {.by = "a dry run of a replay", .actor = plan.actor, .reason = plan.reason});
  if (!noted.ok()) co_return noted.error();
  AuditEntry entry{
      .at = clock_.wall(),
      .actor = plan.actor,
      .action = "replay.dry_run",
      .target = plan.selection.group.empty() ? plan.selection.flow : plan.selection.group,
      .reason = plan.reason};
  auto seen = co_await forecast(store_, clock_, live_, std::move(plan));
  entry.detail = seen.ok() ? fmt::format("{} deliveries", seen->deliveries) : seen.error().detail;
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::AddAudit{std::move(entry)});
  auto receipt = co_await store_.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  co_return seen;
}

async::Task<Result<Replay>> Replays::get(ReplayId id) {
  // Of one that is over the store knows more: its stream may have been shredded since.
  const auto run = runs_.find(id);
  if (run != runs_.end() && !is_over(run->second->replay().state)) co_return run->second->replay();
  auto stored = co_await store_.recovery().replay(id);
  if (!stored.ok()) co_return stored.error();
  if (!stored->has_value()) {
    co_return Error{Code::unknown_replay, fmt::format("no replay {}", to_text(id)),
                    "weir replay list"};
  }
  co_return std::move(**stored);
}

async::Task<Result<Wish>> Replays::wish(ReplayId id) {
  auto replay = co_await get(id);
  if (!replay.ok()) co_return replay.error();
  co_return co_await wish_of(store_, live_, clock_.wall(), *std::move(replay));
}

async::Task<Result<Approval>> Replays::approve(ReplayId id, Grant yes) {
  auto replay = co_await get(id);
  if (!replay.ok()) co_return replay.error();
  auto wanted = co_await wish_of(store_, live_, clock_.wall(), *replay);
  if (!wanted.ok()) co_return wanted.error();
  if (wanted->why.empty() || is_over(replay->state)) {
    co_return Error{Code::wrong_state,
                    wanted->why.empty() ? fmt::format("{} needs no approval", wanted->what)
                                        : fmt::format("replay {} is over", to_text(id)),
                    "weir replay get " + to_text(id)};
  }
  // Before a request is made: a refusal leaves nothing.
  const Approval asked{.act = ApprovalAct::replay,
                       .hash = wanted->act.hash,
                       .what = wanted->what,
                       .makers = wanted->act.makers,
                       .expires = WallTime::max()};
  auto may = policy::may_grant(asked, yes.subject, yes.hash, clock_.wall());
  if (!may.ok()) co_return may.error();
  if (yes.reason.empty()) {
    co_return Error{Code::reason_required, "an approval needs a reason",
                    "add --reason TEXT: what was looked at"};
  }
  auto request = co_await approvals_.request(
      *std::move(wanted),
      {.actor = yes.actor, .subject = yes.subject, .reason = replay->plan.reason}, clock_.wall());
  if (!request.ok()) co_return request.error();
  co_return co_await approvals_.grant(request->id, std::move(yes), clock_.wall());
}

async::Task<Result<std::vector<Replay>>> Replays::list() {
  auto all = co_await store_.recovery().replays();
  if (!all.ok()) co_return all.error();
  for (Replay& replay : *all) {
    const auto run = runs_.find(replay.id);
    if (run != runs_.end() && !is_over(replay.state)) replay = run->second->replay();
  }
  co_return std::move(*all);
}

async::Task<Result<Replay>> Replays::command(ReplayId id, ReplayState wanted, Doer doer,
                                             std::string hash, Duration wait) {
  auto known = co_await get(id);
  if (!known.ok()) co_return known.error();
  auto run = runs_.find(id);
  if (run == runs_.end()) {
    if (known->state != ReplayState::planned) {
      co_return Error{Code::wrong_state,
                      fmt::format("replay {} is {}", to_text(id), to_text(known->state)),
                      "weir replay get " + to_text(id)};
    }
    adopt(std::move(*known));
    run = runs_.find(id);
  }
  auto done = co_await run->second->command(wanted, std::move(doer), std::move(hash), wait);
  if (!done.ok()) co_return done.error();
  co_return run->second->replay();
}

async::Task<Result<Replay>> Replays::edit(ReplayId id, ReplayPlan plan) {
  auto known = co_await get(id);
  if (!known.ok()) co_return known.error();
  const bool as_it_was = plan.selection == Selection{} ||
                         plan.selection == shown_selection(live_, known->plan.selection);
  if (as_it_was) plan.selection = known->plan.selection;
  keep_masked_headers(plan.terms, known->plan.terms);
  auto checked = check_plan(plan);
  if (!checked.ok()) co_return checked.error();
  if (plan.reason.empty()) plan.reason = known->plan.reason;
  leave_out_default_canary(plan, known->counts.planned);
  if (!(plan.selection == known->plan.selection)) {
    co_return Error{Code::invalid_argument, "the selection of a plan is frozen",
                    "abort this replay and plan again for another selection"};
  }
  if (known->state == ReplayState::planned && !runs_.contains(id)) adopt(std::move(*known));
  const auto run = runs_.find(id);
  if (run == runs_.end()) {
    co_return Error{Code::wrong_state, fmt::format("replay {} is over", to_text(id)), "plan again"};
  }
  auto edited = co_await run->second->edit(std::move(plan));
  if (!edited.ok()) co_return edited.error();
  co_return run->second->replay();
}

async::Task<Result<Replay>> Replays::slow(ReplayId id, std::string reason, std::string actor) {
  auto known = co_await get(id);
  if (!known.ok()) co_return known.error();
  const auto run = runs_.find(id);
  if (run == runs_.end()) {
    co_return Error{Code::wrong_state,
                    fmt::format("replay {} is {}", to_text(id), to_text(known->state)),
                    "weir replay get " + to_text(id)};
  }
  auto slowed = co_await run->second->slow(std::move(reason), std::move(actor));
  if (!slowed.ok()) co_return slowed.error();
  co_return run->second->replay();
}

double Replays::rate(const Replay& replay) const {
  const auto run = runs_.find(replay.id);
  return run == runs_.end() || !is_running(replay.state) ? replay.rate_now : run->second->rate();
}

std::optional<Duration> Replays::time_left(ReplayId id) {
  const auto run = runs_.find(id);
  return run == runs_.end() ? std::nullopt : run->second->time_left();
}

async::Task<Result<std::uint64_t>> Replays::joined_since(ReplayId id) {
  auto replay = co_await get(id);
  if (!replay.ok()) co_return replay.error();
  co_return co_await recovery::joined_since(store_, live_, *replay);
}

std::vector<policy::StopReading> Replays::stop_readings(ReplayId id) {
  const auto run = runs_.find(id);
  if (run == runs_.end() || is_over(run->second->replay().state)) return {};
  return run->second->stop_readings();
}

void Replays::flow_removed() {
  for (auto& [id, run] : runs_) run->look_again();
}

void Replays::on_decision(const ports::DecisionRecord& record) {
  if (!record.replay || record.decision == nullptr) return;
  const auto run = runs_.find(record.replay);
  if (run == runs_.end()) return;
  if (record.outcome != nullptr) run->second->on_attempt(*record.outcome);
  const DecisionKind kind = record.decision->kind;
  if (kind == DecisionKind::retryAt || kind == DecisionKind::defer) return;
  run->second->on_settled(record);
}

}  // namespace weir::recovery
