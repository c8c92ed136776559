// SPDX-License-Identifier: Apache-2.0
// How a run takes deliveries out of quarantine: claimed under preconditions, so that each is
// released at most once.
#include <algorithm>

#include "base/assert.h"
#include "base/failpoint.h"
#include "base/seeded_bug.h"
#include "policy/deadline.h"
#include "recovery/references.h"
#include "recovery/replay_run.h"
#include "recovery/rewind.h"

namespace weir::recovery {
namespace {

constexpr std::uint32_t kClaimMax = 100;
constexpr Duration kClaimPatience = std::chrono::milliseconds{2};
constexpr std::size_t kRowsPerRead = 500;

// A delivered event without a row gets one with its claim.
bool has_row(const Delivery& row) { return row.changed_at != WallTime{}; }

void add_claim(ports::WriteBatch& batch, const Replay& replay, const Delivery& row,
               Delivery released) {
  batch.preconditions.emplace_back(ports::ReplayItemIs{replay.id, row.ref, ItemState::planned});
  if (has_row(row)) {
    batch.preconditions.emplace_back(ports::DeliveryIs{row.ref, row.state, row.changed_at});
  } else {
    batch.preconditions.emplace_back(ports::DeliveryAbsent{row.ref});
    batch.preconditions.emplace_back(ports::EventStored{row.ref.position});
  }
  batch.mutations.emplace_back(ports::PutDelivery{std::move(released)});
  batch.mutations.emplace_back(ports::SetReplayItem{replay.id, row.ref, ItemState::claimed});
}

}  // namespace

std::map<FlowId, Duration> ReplayRun::event_timeouts_of(
    const std::vector<DeliveryRef>& refs) const {
  std::map<FlowId, Duration> patience;
  for (FlowId last{}; const DeliveryRef& ref : refs) {  // they come flow by flow
    if (std::exchange(last, ref.flow) == ref.flow) continue;
    const auto flow = live_.flow(ref.flow);
    if (flow && flow->spec != nullptr)
      patience.emplace(ref.flow, flow->spec->policy.timeouts.event);
  }
  return patience;
}

Delivery ReplayRun::released(const Delivery& row, Duration patience) const {
  Delivery next = row;
  const WallTime now = clock_.wall();
  next.state = DeliveryState::ready;
  next.replay = replay_.id;
  next.terms = replay_.plan.terms;
  next.group = {};
  next.attempts_this_round = 0;
  next.interruptions = 0;
  next.in_doubt = false;
  ++next.replays;
  next.changed_at = now;
  next.due = {};
  next.reason = fmt::format("released by replay {}", to_text(replay_.id));
  // The event's own deadline restarts with the release; its expirytime stays, if the plan minds it.
  next.deadline = patience > Duration::zero() ? now + patience : WallTime{};
  if (const auto expiry = expiries_.find(row.ref); expiry != expiries_.end())
    next.deadline = next.deadline == WallTime{} ? expiry->second
                                                : std::min(next.deadline, expiry->second);
  next.add_history(AttemptRecord{.at = now,
                                 .failure = FailureClass::ok,
                                 .decision = DecisionKind::defer,
                                 .note = next.reason,
                                 .replay = replay_.id});
  return next;
}

async::Task<Result<std::uint32_t>> ReplayRun::release_next(std::uint32_t count) {
  auto items = co_await store_.recovery().items(replay_.id, ItemState::planned, after_,
                                                std::min(count, kClaimMax));
  if (!items.ok()) co_return items.error();
  if (items->empty()) {
    if (after_ == DeliveryRef{})
      co_return Error{Code::internal, "a replay has fewer members than it counted", ""};
    after_ = {};  // once more from the start: a claim may have been refused
    co_return 1u;
  }
  std::vector<DeliveryRef> refs;
  for (const ReplayItem& item : *items) refs.push_back(item.ref);
  auto found = co_await claimable(refs);
  if (!found.ok()) co_return found.error();
  // What was not claimed keeps its place.
  if (found->later) co_return 0u;
  if (found->halted) co_return 1u;
  if (!found->rows.empty()) {
    auto learned = co_await learn_groups(found->rows);
    if (!learned.ok()) co_return learned.error();
    auto claimed = co_await claim(found->rows);
    if (claimed.ok() && *claimed == Claim::refused)
      claimed = co_await claim_one_by_one(found->rows);
    if (!claimed.ok()) co_return claimed.error();
    if (*claimed == Claim::halted) co_return 1u;
  }
  after_ = refs.back();
  co_return static_cast<std::uint32_t>(refs.size());
}

bool ReplayRun::goes_in_turn() const {
  return recovery::goes_in_turn(live_, replay_.plan.selection);
}

async::Task<Result<ReplayRun::Fit>> ReplayRun::fit_of(const Delivery& row) {
  const bool rewinds = replay_.plan.selection.delivered;
  if (!rewinds) {
    const bool waits = row.state == DeliveryState::quarantined && !row.archived;
    co_return waits ? Fit::claim : Fit::skip;
  }
  if (row.state != DeliveryState::done) co_return Fit::skip;
  if (row.key.empty()) co_return Fit::claim;
  const auto now = live_.delivery(row.ref.flow, row.ref.position, row.key);
  if (!now || !now->hold) co_return Fit::claim;
  if (now->hold->released) co_return Fit::later;
  auto holder = co_await store_.deliveries().get({row.ref.flow, now->hold->holder});
  if (!holder.ok()) co_return holder.error();
  // Behind a failed one of its key it would go out of order; another retry is over soon.
  const bool stays = holder->has_value() && (*holder)->state == DeliveryState::quarantined;
  co_return stays ? Fit::skip : Fit::later;
}

async::Task<Result<std::map<DeliveryRef, Delivery>>> ReplayRun::rows_of(
    const std::vector<DeliveryRef>& refs) {
  std::map<DeliveryRef, Delivery> by_ref;
  auto rows = co_await store_.deliveries().get_many(refs);
  if (!rows.ok()) co_return rows.error();
  for (Delivery& row : *rows) by_ref.emplace(row.ref, std::move(row));
  if (!replay_.plan.selection.delivered) co_return by_ref;
  std::vector<DeliveryRef> missing;
  for (const DeliveryRef& ref : refs) {
    if (!by_ref.contains(ref)) missing.push_back(ref);
  }
  const auto flow = find_flow(live_, replay_.plan.selection.flow);
  const bool known = flow.ok() && flow->spec != nullptr;
  const policy::KeyRule keys = known ? policy::key_rule(*flow->spec) : policy::KeyRule{};
  auto made = co_await rows_of_events(store_, std::move(missing), keys);
  if (!made.ok()) co_return made.error();
  for (Delivery& row : *made) by_ref.emplace(row.ref, std::move(row));
  co_return by_ref;
}

// For people, beside what an operator or a rule said; empty: it does not wait any more.
void ReplayRun::say_waits_for(std::string_view key) {
  constexpr std::string_view kWaits = "waits for key ";
  std::string& reason = replay_.state_reason;
  const bool is_free = reason.empty() || reason.starts_with(kWaits);
  if (!is_running(replay_.state) || !is_free) return;
  reason = key.empty() ? "" : fmt::format("{}'{}', of which another is being tried", kWaits, key);
}

async::Task<Result<ReplayRun::Claimable>> ReplayRun::claimable(
    const std::vector<DeliveryRef>& refs) {
  Claimable found;
  auto rows = co_await rows_of(refs);
  if (!rows.ok()) co_return rows.error();
  auto away = co_await halt_without_flow(refs);
  if (!away.ok()) co_return away.error();
  found.halted = *away;
  if (found.halted) co_return found;
  std::vector<DeliveryRef> gone;  // settled or archived since the plan was made, or trimmed
  for (const DeliveryRef& ref : refs) {
    const auto row = rows->find(ref);
    Fit fit = Fit::skip;
    if (row != rows->end() && live_.flow(ref.flow)) {
      auto fits = co_await fit_of(row->second);
      if (!fits.ok()) co_return fits.error();
      fit = *fits;
    }
    if (fit == Fit::skip) gone.push_back(ref);
    if (fit == Fit::claim) found.rows.push_back(std::move(row->second));
    if (fit == Fit::later) {
      found.later = true;
      say_waits_for(row->second.key);
      co_return found;
    }
  }
  auto skipped = co_await skip(std::move(gone), ItemState::skipped);
  if (!skipped.ok()) co_return skipped.error();
  say_waits_for("");
  auto fresh = co_await leave_out_stale(found.rows);
  if (!fresh.ok()) co_return fresh.error();
  found.halted = !*fresh;
  co_return found;
}

// Nobody would take what is released to a flow that has left the configuration, perhaps by mistake.
// What was removed for good is skipped.
async::Task<Result<bool>> ReplayRun::halt_without_flow(std::vector<DeliveryRef> refs) {
  if (!is_running(replay_.state)) co_return true;  // an operator was quicker
  for (FlowId last{}; const DeliveryRef& ref : refs) {
    if (std::exchange(last, ref.flow) == ref.flow) continue;
    const auto flow = live_.flow(ref.flow);
    if (!flow || flow->spec != nullptr) continue;
    auto paused = co_await change_state(
        ReplayState::paused,
        fmt::format("flow '{}' has left the configuration; bring it back, or remove it for good, "
                    "then resume",
                    flow->record.name),
        "replay.pause", "weir");
    if (!paused.ok()) co_return paused.error();
    co_return true;
  }
  co_return false;
}

async::Task<Result<bool>> ReplayRun::leave_out_stale(std::vector<Delivery>& rows) {
  const Staleness& rules = replay_.plan.staleness;
  if (!rules.matters() || rows.empty()) co_return true;
  auto looked = co_await stale_.look(rows, clock_.wall());
  if (!looked.ok()) co_return looked.error();
  expiries_ = std::move(looked->expiries);
  std::vector<DeliveryRef> left_out;
  for (const StaleDelivery& stale : looked->stale) {
    if (!is_running(replay_.state)) co_return false;  // an operator was quicker
    const Stale rule = stale.expired ? rules.expired : rules.superseded;
    if (rule == Stale::ask) {
      auto paused = co_await change_state(
          ReplayState::paused,
          fmt::format("{} is too old: {}; archive, resolve or discard it, then resume",
                      to_reference(live_, stale.ref.position), stale.reason),
          "replay.pause", "weir");
      if (!paused.ok()) co_return paused.error();
      co_return false;
    }
    left_out.push_back(stale.ref);
    std::erase_if(rows, [&](const Delivery& row) { return row.ref == stale.ref; });
  }
  auto skipped = co_await skip(std::move(left_out), ItemState::stale);
  if (!skipped.ok()) co_return skipped.error();
  co_return is_running(replay_.state);
}

// A flow that is removed takes its rows along: what was on its way there has no end to wait for.
async::Task<Result<>> ReplayRun::skip_removed(ReplayCounts& counts) {
  std::vector<DeliveryRef> refs;
  for (const auto& [ref, hash] : origin_) refs.push_back(ref);
  for (std::size_t from = 0; from < refs.size(); from += kRowsPerRead) {
    const auto until = std::min(from + kRowsPerRead, refs.size());
    const std::vector<DeliveryRef> some(refs.begin() + static_cast<std::ptrdiff_t>(from),
                                        refs.begin() + static_cast<std::ptrdiff_t>(until));
    auto rows = co_await store_.deliveries().get_many(some);
    if (!rows.ok()) co_return rows.error();
    std::set<DeliveryRef> there;
    for (const Delivery& row : *rows) there.insert(row.ref);
    for (const DeliveryRef& ref : some) {
      if (there.contains(ref)) continue;
      ports::WriteBatch batch{.lane = ports::Lane::operate};
      batch.preconditions.emplace_back(ports::ReplayItemIs{replay_.id, ref, ItemState::claimed});
      batch.mutations.emplace_back(ports::SetReplayItem{replay_.id, ref, ItemState::skipped});
      auto receipt = co_await store_.writer().commit(std::move(batch));
      if (!receipt.ok()) co_return receipt.error();
      // It ended in between, and is told soon.
      if (!receipt->applied || origin_.erase(ref) == 0) continue;
      --counts.sent;
      ++counts.skipped;
      dirty_ = true;
    }
  }
  co_return Result<>{};
}

// Which fingerprint a delivery came from, to see whether it comes back, and whose breaker matters.
async::Task<Result<>> ReplayRun::learn_groups(const std::vector<Delivery>& rows) {
  for (const Delivery& row : rows) {
    if (!row.group || groups_.contains(row.group)) continue;
    auto group = co_await store_.recovery().group(row.group);
    if (!group.ok()) co_return group.error();
    if (!group->has_value()) continue;
    groups_.emplace(row.group, Origin{(*group)->fingerprint.hash, (*group)->dependency});
  }
  for (const Delivery& row : rows) {
    flows_.insert(row.ref.flow);
    const std::string& dependency = groups_[row.group].dependency;
    if (!dependency.empty()) dependencies_.insert(dependency);
  }
  for (const FlowId id : flows_) {  // what is run again came from no group
    const auto flow = live_.flow(id);
    if (flow && flow->spec != nullptr) dependencies_.insert(flow->spec->dependency);
  }
  co_return Result<>{};
}

async::Task<Result<ReplayRun::Claim>> ReplayRun::claim(const std::vector<Delivery>& rows) {
  if (!is_running(replay_.state)) co_return Claim::halted;
  ports::WriteBatch batch{.lane = ports::Lane::operate, .patience = kClaimPatience};
  // At once: a word of an operator that is written meanwhile must not say that nothing was sent.
  replay_.counts.sent += rows.size();
  if (!WEIR_SEEDED_BUG("replay.claim_unguarded"))
    batch.preconditions.emplace_back(ports::ReplayIs{replay_.id, replay_.state});
  std::vector<DeliveryRef> refs;
  for (const Delivery& row : rows) refs.push_back(row.ref);
  const std::map<FlowId, Duration> patience = event_timeouts_of(refs);
  for (const Delivery& row : rows) {
    const auto of_flow = patience.find(row.ref.flow);
    add_claim(batch, replay_, row,
              released(row, of_flow == patience.end() ? Duration{} : of_flow->second));
  }
  std::map<GroupId, std::uint64_t> leaving;
  for (const Delivery& row : rows) ++leaving[row.group];
  for (const auto& [group, count] : leaving) {
    if (group) batch.mutations.emplace_back(ports::LeaveGroup{group, count});
  }
  batch.mutations.emplace_back(ports::PutReplay{replay_});
  (void)WEIR_FAILPOINT("replay.before_claim");
  const std::vector<ports::Precondition> conditions = batch.preconditions;
  auto receipt = co_await store_.writer().commit(std::move(batch));
  if (!receipt.ok() || !receipt->applied) {
    replay_.counts.sent -= rows.size();
    dirty_ = true;
  }
  if (!receipt.ok()) co_return receipt.error();
  if (!receipt->applied) {
    const auto& failed = conditions.at(receipt->failed_precondition);
    co_return std::holds_alternative<ports::ReplayIs>(failed) ? Claim::halted : Claim::refused;
  }
  (void)WEIR_FAILPOINT("replay.after_claim");
  for (const Delivery& row : rows) origin_.emplace(row.ref, groups_[row.group].hash);
  ramp_.released(static_cast<std::uint32_t>(rows.size()), clock_.mono());
  live_.release(refs, replay_.id);
  co_return Claim::done;
}

async::Task<Result<ReplayRun::Claim>> ReplayRun::claim_one_by_one(
    const std::vector<Delivery>& rows) {
  for (const Delivery& row : rows) {
    auto claimed = co_await claim({row});
    if (!claimed.ok()) co_return claimed.error();
    if (*claimed == Claim::halted) co_return Claim::halted;
    if (*claimed == Claim::done) continue;
    auto skipped = co_await skip({row.ref}, ItemState::skipped);
    if (!skipped.ok()) co_return skipped.error();
  }
  co_return Claim::done;
}

// In one commit, which may be part of another: nothing is called for them, so nothing slows them.
async::Task<Result<>> ReplayRun::skip(std::vector<DeliveryRef> refs, ItemState as) {
  if (refs.empty()) co_return Result<>{};
  ports::WriteBatch batch{.lane = ports::Lane::operate, .patience = kClaimPatience};
  for (const DeliveryRef& ref : refs) {
    batch.preconditions.emplace_back(ports::ReplayItemIs{replay_.id, ref, ItemState::planned});
    batch.mutations.emplace_back(ports::SetReplayItem{replay_.id, ref, as});
  }
  auto receipt = co_await store_.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  WEIR_ASSERT(receipt->applied);  // only this run takes them out of planned
  replay_.counts.skipped += refs.size();
  if (as == ItemState::stale) replay_.counts.stale += refs.size();
  dirty_ = true;
  co_return Result<>{};
}

}  // namespace weir::recovery
