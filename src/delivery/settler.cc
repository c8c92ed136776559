// SPDX-License-Identifier: Apache-2.0
#include "delivery/settler.h"

#include <algorithm>
#include <utility>

#include "base/failpoint.h"
#include "base/seeded_bug.h"
#include "delivery/flow.h"

namespace weir::delivery {

Settler::Settler(async::Executor executor, ports::Writer& writer, async::Clock& clock,
                 async::TaskGroup& alarms, std::function<void(const Error&)> on_failed)
    : writer_(writer),
      clock_(clock),
      alarms_(alarms),
      on_failed_(std::move(on_failed)),
      wake_(std::move(executor)) {}

void Settler::settle(Flow& flow, Settlement settlement, After after) {
  flow.cursor().settle(settlement.seq);
  pending_.flows[&flow].settlements.push_back(settlement);
  if (after) return add_after(std::move(after), Urgency::now);
  linger();
}

void Settler::linger() {
  if (++lingering_ >= kLingeringMax) return ask_commit();
  if (alarm_set_ || commit_asked_ || stopping_ || failed_) return;
  alarm_set_ = true;
  alarms_.spawn(commit_at(clock_.mono() + kLinger));
}

async::Task<> Settler::commit_at(MonoTime at) {
  co_await clock_.sleep_until(at);
  alarm_set_ = false;
  if (lingering_ > 0) ask_commit();
}

void Settler::ask_commit() {
  commit_asked_ = true;
  wake_.notify();
}

void Settler::write(Flow& flow, std::vector<ports::Mutation> mutations, After after,
                    Urgency urgency) {
  pending_.flows.try_emplace(&flow);
  for (auto& mutation : mutations) pending_.mutations.push_back(std::move(mutation));
  add_after(std::move(after), urgency);
}

void Settler::add_after(After after, Urgency urgency) {
  if (failed_) {
    if (after) after(false);
    return;
  }
  if (after) pending_.afters.push_back(std::move(after));
  if (urgency == Urgency::now) return hurry();
  const bool group = ++patient_ >= kPatientMax;
  if (urgency == Urgency::next || group) return ask_commit();
  linger();
}

void Settler::hurry() {
  urgent_ = true;
  ask_commit();
  if (std::exchange(waits_, false) && !stopping_) alarms_.spawn(nudge());
}

// A batch without patience: what waits goes with it.
async::Task<> Settler::nudge() { (void)co_await writer_.commit({}); }

void Settler::touch(Flow& flow) {
  pending_.flows.try_emplace(&flow);
  hurry();
}

void Settler::stop() {
  stopping_ = true;
  ask_commit();
}

async::Task<> Settler::run() {
  for (;;) {
    if (pending_.empty() && stopping_) co_return;
    if (pending_.empty() || !commit_asked_) {
      co_await wake_.wait();
      continue;
    }
    Pending batch = std::exchange(pending_, {});
    commit_asked_ = stopping_;
    lingering_ = 0;
    waits_ = !std::exchange(urgent_, false) && patient_ > 0 && patient_ < kPatientMax && !stopping_;
    patient_ = 0;
    co_await commit(std::move(batch));
    if (failed_) co_return;
  }
}

async::Task<> Settler::commit_rest() {
  if (failed_ || pending_.empty()) co_return;
  co_await commit(std::exchange(pending_, {}));
}

async::Task<> Settler::commit(Pending pending) {
  committing_ = pending.afters.size();
  for (const auto& [flow, part] : pending.flows) committing_flows_.push_back(flow);
  ports::WriteBatch batch = make_batch(pending);
  (void)WEIR_FAILPOINT("settle.before_commit");
  auto receipt = co_await writer_.commit(std::move(batch));
  committing_ = 0;
  committing_flows_.clear();
  waits_ = false;
  if (!receipt.ok() && !WEIR_SEEDED_BUG("settler.failed_commit_is_durable")) {
    fail(receipt.error(), pending);
    co_return;
  }
  (void)WEIR_FAILPOINT("settle.after_commit");
  for (const auto& [flow, cursor] : pending.cursors) flow->cursor_is_durable(cursor);
  for (After& after : pending.afters) after(true);
}

bool Settler::is_busy_with(Flow& flow) const {
  return pending_.flows.contains(&flow) ||
         std::ranges::find(committing_flows_, &flow) != committing_flows_.end();
}

void Settler::fail(const Error& error, Pending& lost) {
  failed_ = true;
  on_failed_(error);
  for (After& after : lost.afters) after(false);
  for (After& after : std::exchange(pending_, {}).afters) after(false);
}

ports::WriteBatch Settler::make_batch(Pending& pending) {
  ports::WriteBatch batch{.lane = ports::Lane::settle, .patience = waits_ ? kPatience : Duration{}};
  batch.mutations = std::move(pending.mutations);
  for (auto& [flow, part] : pending.flows) {
    if (!part.settlements.empty()) {
      std::ranges::sort(part.settlements, {}, &Settlement::seq);
      batch.mutations.push_back(ports::AddSettlements{flow->id(), flow->stream(), clock_.wall(),
                                                      std::move(part.settlements)});
    }
    if (flow->cursor().dirty()) {
      Cursor cursor = flow->cursor().snapshot();
      pending.cursors.emplace_back(flow, Cursor{.floor = cursor.floor, .mark = cursor.mark});
      batch.mutations.push_back(ports::PutCursor{flow->id(), std::move(cursor)});
    }
    auto changes = flow->keys().take_changes();
    for (Hold& hold : changes.put) batch.mutations.push_back(ports::PutHold{std::move(hold)});
    for (std::string& key : changes.drop)
      batch.mutations.push_back(ports::DropHold{flow->id(), std::move(key)});
  }
  return batch;
}

}  // namespace weir::delivery
