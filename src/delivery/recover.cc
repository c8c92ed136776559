// SPDX-License-Identifier: Apache-2.0
#include "delivery/recover.h"

#include <algorithm>

#include "base/failpoint.h"
#include "base/seeded_bug.h"
#include "delivery/settle.h"
#include "policy/deadline.h"
#include "policy/decide.h"
#include "policy/ordering_key.h"

namespace weir::delivery {
namespace {

constexpr std::size_t kPage = 1000;

void interrupted(DeliveryParts& parts, Flow& flow, Delivery row, const Event& event) {
  row.interruptions += WEIR_SEEDED_BUG("recover.interruption_not_counted") ? 0 : 1;
  if (WEIR_SEEDED_BUG("recover.attempts_forgotten")) row.attempts_this_round = 0;
  (void)WEIR_FAILPOINT("recover.interrupted");
  Decision decision = policy::decide_interrupted(flow.spec().policy, row, flow.spec().idempotent,
                                                 parts.clock.wall());
  const Due due{.due = row.due,
                .ref = row.ref,
                .replay = row.replay,
                .interruptions = row.interruptions,
                .deadline = row.deadline};
  settle_row(parts, flow, {.row = std::move(row), .decision = std::move(decision), .event = event},
             [&flow, due] {
               flow.add_resumed(due);
               flow.wake();
             });
}

async::Task<Result<>> load_holds(DeliveryParts& parts, Flow& flow, std::vector<Hold>& released) {
  auto holds = co_await parts.store.deliveries().holds(flow.id());
  if (!holds.ok()) co_return holds.error();
  for (const Hold& hold : *holds) {
    flow.keys().load(hold);
    if (hold.released) released.push_back(hold);
  }
  co_return Result<>{};
}

// A row in flight was being called when the process ended.
async::Task<Result<>> interrupt_row(DeliveryParts& parts, Flow& flow, DeliveryRef ref) {
  auto row = co_await parts.store.deliveries().get(ref);
  if (!row.ok()) co_return row.error();
  auto stored = co_await parts.store.events().fetch({ref});
  if (!stored.ok()) co_return stored.error();
  if (!row->has_value() || stored->empty()) {
    co_return Error{Code::store_corrupt,
                    fmt::format("delivery {}#{} has no event", flow.spec().name, ref.position.seq),
                    ""};
  }
  const auto event = decode_event(stored->front().record);
  if (!event.ok()) co_return event.error();
  interrupted(parts, flow, std::move(**row), *event);
  co_return Result<>{};
}

// The most that a decision of today's policy lets a delivery wait.
Duration longest_wait(const DeliveryParts& parts, const RetrySpec& retry) {
  Duration server = retry.server_directed_max;
  for (const FailureModeSpec& mode : parts.rules.failure_modes)
    server = std::max(server, mode.retry_after);
  return server + std::max({retry.back_off.base_interval, retry.back_off.max_interval,
                            retry.throttled_base_interval});
}

async::Task<Result<>> load_rows(DeliveryParts& parts, Flow& flow) {
  // Where the wall clock was set back, what was due soon would seem to be due hours from now.
  const WallTime latest = parts.clock.wall() + longest_wait(parts, flow.spec().policy.retry);
  Position after{flow.stream(), 0, 0};
  for (;;) {
    auto page = co_await parts.store.deliveries().due(flow.id(), after, kPage);
    if (!page.ok()) co_return page.error();
    for (const ports::DueEntry& entry : *page) {
      const bool at_once = WEIR_SEEDED_BUG("recover.due_forgotten");
      const Due due{.due = at_once ? WallTime{} : std::min(entry.due, latest),
                    .ref = entry.ref,
                    .replay = entry.replay,
                    .interruptions = entry.interruptions,
                    .cost = policy::retry_cost(entry.failure),
                    .deadline = entry.deadline};
      if (entry.state == DeliveryState::inFlight) {
        auto done = co_await interrupt_row(parts, flow, entry.ref);
        if (!done.ok()) co_return done.error();
      } else if (entry.state == DeliveryState::waiting) {
        flow.add_retry(due);
      } else if (entry.replay && entry.interruptions == 0) {
        flow.add_replay(due);
      } else {
        flow.add_resumed(due);
      }
    }
    if (page->size() < kPage) co_return Result<>{};
    after = page->back().ref.position;
  }
}

// The next event of a released hold was being called, or was settled while what stands behind it
// had still to be found: then its key is to be drained.
async::Task<Result<>> interrupt_drained(DeliveryParts& parts, Flow& flow, const Hold& hold,
                                        std::vector<Hold>& to_drain) {
  const DeliveryRef ref{flow.id(), hold.holder};
  auto row = co_await parts.store.deliveries().get(ref);
  if (!row.ok()) co_return row.error();
  auto settlement = co_await parts.store.deliveries().settlement(flow.id(), hold.holder);
  if (!settlement.ok()) co_return settlement.error();
  const bool has_row = row->has_value();
  const bool ended = has_row
                         ? is_settled((*row)->state) || (*row)->state == DeliveryState::quarantined
                         : settlement->has_value();
  if (ended) to_drain.push_back(hold);
  if (ended || has_row) co_return Result<>{};  // an open row was found by load_rows()
  auto stored = co_await parts.store.events().fetch({ref});
  if (!stored.ok()) co_return stored.error();
  if (stored->empty()) {
    parts.on_error(Error{Code::event_unknown,
                         fmt::format("held event #{} is gone", hold.holder.seq),
                         "`weir store check` on the data folder"});
    to_drain.push_back(hold);
    co_return Result<>{};
  }
  const auto event = decode_event(stored->front().record);
  if (!event.ok()) co_return event.error();
  const WallTime deadline = policy::event_deadline(flow.spec().policy.timeouts, *event,
                                                   stored->front().recorded);
  interrupted(parts, flow, new_row(flow, hold.holder, *event, hold.key, deadline), *event);
  co_return Result<>{};
}

// Keys whose holder an operator settled, and the process ended before the key went on. Looked up
// before anything is decided here: afterwards rows are on their way to the store that cannot be
// read yet.
async::Task<Result<std::vector<Hold>>> holds_to_drain(DeliveryParts& parts, Flow& flow) {
  std::vector<Hold> holds;
  for (const Hold& hold : flow.keys().all_holds()) {
    if (hold.released) continue;
    auto row = co_await parts.store.deliveries().get({flow.id(), hold.holder});
    if (!row.ok()) co_return row.error();
    if (!row->has_value() || is_settled((*row)->state)) holds.push_back(hold);
  }
  co_return holds;
}

void recover_event(DeliveryParts& parts, Flow& flow, StoredEvent& stored) {
  const auto event = decode_event(stored.record);
  WEIR_ASSERT(event.ok());
  if (!flow.filter().matches(*event)) {
    parts.settler.settle(flow, Settlement{.seq = stored.position.seq, .status = 0}, nullptr);
    return;
  }
  std::string key = policy::ordering_key(*event, flow.spec());
  if (!key.empty() &&
      flow.keys().find_hold(key) != nullptr) {  // an earlier one of its key comes first
    flow.accept(std::move(stored));
    return;
  }
  const WallTime deadline = policy::event_deadline(flow.spec().policy.timeouts, *event,
                                                   stored.recorded);
  interrupted(parts, flow, new_row(flow, stored.position, *event, std::move(key), deadline),
              *event);
}

// Whatever lies unsettled below the dispatch mark may have been sent.
async::Task<Result<>> recover_unsettled(DeliveryParts& parts, Flow& flow) {
  std::uint64_t next = flow.cursor().floor();
  const std::uint64_t mark = flow.cursor().durable_mark();
  while (next < mark && !WEIR_SEEDED_BUG("recover.mark_taken_as_floor")) {
    auto events = co_await parts.store.events().read(flow.stream(), next, kReadEvents, kReadBytes);
    if (!events.ok()) co_return events.error();
    if (events->empty()) break;
    for (StoredEvent& stored : *events) {
      next = stored.position.seq + 1;
      if (stored.position.seq >= mark) co_return Result<>{};
      if (!flow.cursor().is_settled(stored.position.seq)) recover_event(parts, flow, stored);
    }
  }
  co_return Result<>{};
}

}  // namespace

async::Task<Result<>> recover_flow(DeliveryParts& parts, Flow& flow) {
  std::vector<Hold> released;
  auto step = co_await load_holds(parts, flow, released);
  if (!step.ok()) co_return step;
  auto drained = co_await holds_to_drain(parts, flow);
  if (!drained.ok()) co_return drained.error();
  step = co_await load_rows(parts, flow);
  if (!step.ok()) co_return step;
  (void)WEIR_FAILPOINT("recover.rows_read");
  for (const Hold& hold : released) {
    step = co_await interrupt_drained(parts, flow, hold, *drained);
    if (!step.ok()) co_return step;
  }
  step = co_await recover_unsettled(parts, flow);
  if (!step.ok()) co_return step;
  for (const Hold& hold : *drained) {  // an operator may have been faster
    if (flow.keys().is_held_by(hold.key, hold.holder)) flow.drain_key(hold.key);
  }
  (void)WEIR_FAILPOINT("recover.ended");
  co_return Result<>{};
}

}  // namespace weir::delivery
