// SPDX-License-Identifier: Apache-2.0
#include "recovery/replay_plan.h"

#include <algorithm>
#include <set>

#include "base/failpoint.h"
#include "recovery/plan_edits.h"
#include "recovery/references.h"
#include "recovery/selection.h"
#include "recovery/shown.h"

namespace weir::recovery {
namespace {

// What one commit freezes: live commits wait for it, some milliseconds.
constexpr std::uint32_t kChunk = 4000;
constexpr std::size_t kRowsPerPage = 500;
constexpr Duration kChecksPatienceMax = std::chrono::seconds{20};

async::Task<Result<>> freeze_by_query(ports::Store& store, ReplayId id) {
  DeliveryRef after{};
  for (;;) {
    ports::WriteBatch batch{.lane = ports::Lane::operate};
    batch.mutations.emplace_back(ports::FreezeChunk{id, after, kChunk});
    auto receipt = co_await store.writer().commit(std::move(batch));
    if (!receipt.ok()) co_return receipt.error();
    (void)WEIR_FAILPOINT("replay.after_freeze_chunk");
    if (receipt->freeze_done) co_return Result<>{};
    after = receipt->freeze_next;
  }
}

// What is exhausted is taken only by its id or as exhausted, and what is archived not at all.
bool is_eligible(const Delivery& row, const ResolvedSelection& selection) {
  const bool named = selection.by_ids || selection.asked.mark == Mark::exhausted;
  return !row.archived && (!row.exhausted || named);
}

async::Task<Result<>> freeze_by_walk(ports::Store& store, const ResolvedSelection& selection,
                                     ReplayId id) {
  DeliveryRef after{};
  for (;;) {
    auto page = co_await selected_page(store, selection, after, kRowsPerPage);
    if (!page.ok()) co_return page.error();
    if (page->empty()) co_return Result<>{};
    std::vector<DeliveryRef> refs;
    for (const Delivery& row : *page) {
      if (is_eligible(row, selection)) refs.push_back(row.ref);
    }
    after = page->back().ref;
    if (refs.empty()) continue;
    ports::WriteBatch batch{.lane = ports::Lane::operate};
    batch.mutations.emplace_back(ports::AddReplayItems{id, std::move(refs)});
    auto receipt = co_await store.writer().commit(std::move(batch));
    if (!receipt.ok()) co_return receipt.error();
  }
}

Error nothing_matches(const std::string& title) {
  return Error{Code::empty_selection, fmt::format("no delivery matches {}", title),
               "weir quarantine list; members of another unfinished replay do not count"};
}

ports::AddAudit aborted_by_itself(const Replay& replay, WallTime now) {
  return {AuditEntry{.at = now,
                     .actor = "weir",
                     .action = "replay.abort",
                     .target = to_text(replay.id),
                     .reason = replay.state_reason}};
}

// A plan that was not made bars nobody, and leaves no trace unless it had members.
async::Task<Result<>> drop_plan(ports::Store& store, ReplayId id, WallTime now, Error because) {
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::DropReplay{id});
  auto receipt = co_await store.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  auto stored = co_await store.recovery().replay(id);
  if (!stored.ok()) co_return stored.error();
  if (!stored->has_value()) co_return because;
  // It had members already.
  Replay left = **stored;
  left.state = ReplayState::aborted;
  left.state_reason = "the selection could not be frozen: " + because.detail;
  left.finished_at = left.created_at;
  ports::WriteBatch abort{.lane = ports::Lane::operate};
  abort.mutations.emplace_back(aborted_by_itself(left, now));
  abort.mutations.emplace_back(ports::PutReplay{std::move(left)});
  auto aborted = co_await store.writer().commit(std::move(abort));
  if (!aborted.ok()) co_return aborted.error();
  co_return because;
}

// What the unfinished replays still have to send.
async::Task<Result<std::set<DeliveryRef>>> members_of_others(ports::Store& store) {
  constexpr std::size_t kPage = 1000;
  std::set<DeliveryRef> members;
  auto replays = co_await store.recovery().replays();
  if (!replays.ok()) co_return replays.error();
  for (const Replay& replay : *replays) {
    DeliveryRef after{};
    for (bool end = is_over(replay.state); !end;) {
      auto items = co_await store.recovery().items(replay.id, std::nullopt, after, kPage);
      if (!items.ok()) co_return items.error();
      for (const ReplayItem& item : *items) members.insert(item.ref);
      end = items->size() < kPage;
      if (!end) after = items->back().ref;
    }
  }
  co_return members;
}

// What handlers get that is not as it came: the names alone, which the plan's author chose.
std::string sent_otherwise(const ReplayTerms& terms) {
  std::string text;
  for (const std::string& name : terms.strip) text += ", without " + name;
  for (const auto& [name, value] : terms.headers) text += ", with header " + name;
  return text;
}

async::Task<Result<>> finish_plan(ports::Store& store, async::Clock& clock, const Live& live,
                                  Replay& replay, const std::string& title) {
  auto stored = co_await store.recovery().replay(replay.id);
  if (!stored.ok()) co_return stored.error();
  if (!stored->has_value())
    co_return Error{Code::internal, "the plan vanished while it was made", ""};
  replay.counts.planned = (*stored)->counts.planned;
  if (replay.counts.planned == 0) co_return nothing_matches(title);
  replay.state = ReplayState::planned;
  leave_out_default_canary(replay.plan, replay.counts.planned);
  auto edits = co_await edits_of_members(store, replay.id);
  if (!edits.ok()) co_return edits.error();
  note_edits(replay.plan, *edits);
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.preconditions.emplace_back(ports::ReplayIs{replay.id, ReplayState::planning});
  batch.mutations.emplace_back(ports::PutReplay{replay});
  batch.mutations.emplace_back(ports::AddAudit{
      AuditEntry{.at = clock.wall(),
                 .actor = replay.plan.actor,
                 .action = "replay.plan",
                 .target = to_text(replay.id),
                 .reason = replay.plan.reason,
                 // Not the selection itself: patterns and keys may repeat what events hold.
                 .detail = fmt::format("plan {}: {} deliveries{}", plan_hash(live, replay.plan),
                                       replay.counts.planned, sent_otherwise(replay.plan.terms))}});
  auto receipt = co_await store.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  if (!receipt->applied)
    co_return Error{Code::conflict, "the plan changed while it was made", "plan again"};
  co_return Result<>{};
}

}  // namespace

Result<> check_plan(const ReplayPlan& plan) {
  for (const auto* checks : {&plan.preconditions, &plan.verify.checks}) {
    Duration longest{};
    for (const PlanCheck& check : *checks) {
      const bool calls = check.kind == CheckKind::http || check.kind == CheckKind::prometheus;
      if (calls) longest += check.duration;
    }
    if (longest <= kChecksPatienceMax) continue;
    return Error{Code::invalid_argument,
                 fmt::format("its checks may take {} together, at most {}", weir::to_text(longest),
                             weir::to_text(kChecksPatienceMax)),
                 "they are asked one after the other: give them shorter timeouts"};
  }
  const RatePlan& rate = plan.rate;
  const bool asks = plan.staleness.expired == Stale::ask || plan.staleness.superseded == Stale::ask;
  if (plan.selection.delivered && asks) {
    return Error{Code::invalid_argument, "a rewind cannot ask about what is too old",
                 "staleness: skip or replay"};
  }
  if (plan.selection.mark == Mark::archived) {
    return Error{Code::invalid_argument, "no plan takes what is archived",
                 "weir quarantine restore --mark archived comes first"};
  }
  if (!(rate.start_per_second > 0) || !(rate.max_per_second > 0) || rate.max_per_second > 100'000) {
    return Error{Code::invalid_argument,
                 "a replay's rates must be above 0 and at most 100000 per second", ""};
  }
  if (rate.start_per_second > rate.max_per_second) {
    return Error{Code::invalid_argument,
                 fmt::format("the replay would start at {}/s, above its maximum of {}/s",
                             rate.start_per_second, rate.max_per_second),
                 "lower --rate or raise --max-rate"};
  }
  if (rate.start_per_second < 0.001) {
    return Error{Code::invalid_argument, "a replay starts at 0.001/s at least", "or pause it"};
  }
  if (rate.ramp_factor < 1 || rate.ramp_factor > 100) {
    return Error{Code::invalid_argument, "the ramp factor must be between 1 and 100", ""};
  }
  if (rate.concurrency == 0)
    return Error{Code::invalid_argument, "the replay's concurrency must be at least 1", ""};
  if (rate.step <= Duration::zero())
    return Error{Code::invalid_argument, "the ramp step must be above 0", ""};
  return {};
}

void leave_out_default_canary(ReplayPlan& plan, std::uint64_t deliveries) {
  if (deliveries <= kCanaryAbove && plan.canary == Canary{}) plan.canary.count = 0;
}

async::Task<Result<std::uint64_t>> joined_since(ports::Store& store, const Live& live,
                                                const Replay& replay) {
  std::uint64_t joined = 0;
  Selection selection = replay.plan.selection;
  if (selection.delivered || !selection.ids.empty()) co_return joined;
  selection.since = std::max(selection.since.value_or(WallTime{}), replay.cutoff);
  auto resolved = co_await resolve_selection(store, live, std::move(selection));
  if (!resolved.ok()) co_return resolved.error();
  auto walked = co_await for_each_selected(store, *resolved, [&](const Delivery& row) {
    const bool returned = std::ranges::any_of(
        row.history, [&](const AttemptRecord& line) { return line.replay == replay.id; });
    joined += !returned;
    return joined < kJoinedMax;
  });
  if (!walked.ok()) co_return walked.error();
  co_return joined;
}

namespace {

// The store lists so many unfinished ones: each of them must be found.
async::Task<Result<>> check_room(ports::Store& store) {
  auto replays = co_await store.recovery().replays();
  if (!replays.ok()) co_return replays.error();
  const auto open = std::ranges::count_if(
      *replays, [](const Replay& replay) { return !is_over(replay.state); });
  if (static_cast<std::size_t>(open) < kOpenReplaysMax) co_return Result<>{};
  co_return Error{Code::wrong_state,
                  fmt::format("{} replays are planned or under way, which is the most", open),
                  "abort those that nobody needs: weir replay list"};
}

// After whatever is in quarantine, even if the machine's clock was set back since.
async::Task<Result<WallTime>> cutoff_now(ports::Store& store, async::Clock& clock) {
  auto newest = co_await store.recovery().groups({.with_closed = true, .limit = 1});
  if (!newest.ok()) co_return newest.error();
  const WallTime now = clock.wall();
  if (newest->empty()) co_return now;
  co_return std::max(now, newest->front().last_at + Duration{1});
}

}  // namespace

async::Task<Result<Replay>> make_plan(ports::Store& store, async::Clock& clock, const Live& live,
                                      ReplayPlan plan) {
  auto checked = check_plan(plan);
  if (!checked.ok()) co_return checked.error();
  auto selection = co_await resolve_selection(store, live, plan.selection);
  if (!selection.ok()) co_return selection.error();
  if (plan.reason.empty())
    co_return Error{Code::reason_required, "a replay needs a reason", "add --reason TEXT"};
  auto room = co_await check_room(store);
  if (!room.ok()) co_return room.error();
  auto cutoff = co_await cutoff_now(store, clock);
  if (!cutoff.ok()) co_return cutoff.error();
  Replay replay;
  replay.plan = std::move(plan);
  replay.created_at = clock.wall();
  replay.cutoff = *cutoff;
  replay.plan.selection.key = selection->asked.key;
  if (!replay.plan.selection.delivered) {
    ports::DeliveryQuery& query = selection->query;
    query.until = std::min(query.until.value_or(replay.cutoff), replay.cutoff);
  }
  if (!selection->groups.empty()) {  // the plan keeps the whole hash of what was typed as a prefix
    auto group = co_await find_group(store, replay.plan.selection.group);
    if (!group.ok()) co_return group.error();
    replay.plan.selection.group = group->fingerprint.hash;
  }
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::CreateReplay{replay});
  auto receipt = co_await store.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  replay.id = receipt->replay;
  Result<> frozen;
  if (selection->needs_walk()) {
    frozen = co_await freeze_by_walk(store, *selection, replay.id);
  } else {
    frozen = co_await freeze_by_query(store, replay.id);
  }
  if (frozen.ok()) frozen = co_await finish_plan(store, clock, live, replay, selection->title);
  if (frozen.ok()) co_return replay;
  auto dropped = co_await drop_plan(store, replay.id, clock.wall(), frozen.error());
  co_return dropped.error();
}

async::Task<Result<>> visit_plan(ports::Store& store, const Live& live, const ReplayPlan& plan,
                                 std::function<void(const Delivery&)> visit) {
  auto checked = check_plan(plan);
  if (!checked.ok()) co_return checked.error();
  auto resolved = co_await resolve_selection(store, live, plan.selection);
  if (!resolved.ok()) co_return resolved.error();
  auto taken = co_await members_of_others(store);
  if (!taken.ok()) co_return taken.error();
  bool any = false;
  auto walked = co_await for_each_selected(store, *resolved, [&](const Delivery& row) {
    if (!is_eligible(row, *resolved) || taken->contains(row.ref)) return true;
    any = true;
    visit(row);
    return true;
  });
  if (!walked.ok()) co_return walked.error();
  if (!any) co_return nothing_matches(resolved->title);
  co_return Result<>{};
}

async::Task<Result<>> abort_half_made_plans(ports::Store& store, async::Clock& clock) {
  auto replays = co_await store.recovery().replays();
  if (!replays.ok()) co_return replays.error();
  for (Replay& replay : *replays) {
    if (replay.state != ReplayState::planning) continue;
    replay.state = ReplayState::aborted;
    replay.state_reason = "Weir ended while the selection was being frozen";
    replay.finished_at = clock.wall();
    ports::WriteBatch batch{.lane = ports::Lane::operate};
    batch.mutations.emplace_back(ports::PutReplay{replay});
    batch.mutations.emplace_back(aborted_by_itself(replay, replay.finished_at));
    auto receipt = co_await store.writer().commit(std::move(batch));
    if (!receipt.ok()) co_return receipt.error();
  }
  co_return Result<>{};
}

}  // namespace weir::recovery
