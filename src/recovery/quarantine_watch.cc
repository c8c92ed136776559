// SPDX-License-Identifier: Apache-2.0
#include "recovery/quarantine_watch.h"

#include <algorithm>

#include <fmt/format.h>

#include "recovery/approvals.h"
#include "recovery/references.h"

namespace weir::recovery {
namespace {

// Rows per flow that are looked at for one that nobody put aside.
constexpr std::size_t kOldPerRead = 200;
constexpr std::size_t kOldReads = 10;

std::string name_of_flow(const Live& live, FlowId id) {
  for (const LiveFlow& flow : live.flows()) {
    if (flow.record.id == id) return flow.record.name;
  }
  return fmt::format("flow {}", id.value);
}

bool is_snoozed(const Group& group, WallTime now) { return now < group.notes.snoozed_until; }

}  // namespace

std::uint64_t Growth::add(std::uint64_t total, WallTime now, Duration window) {
  // A clock that was set back makes the old samples worthless.
  while (!samples_.empty() && (samples_.front().at < now - window || samples_.front().at > now))
    samples_.pop_front();
  const Duration spacing = window / static_cast<std::int64_t>(kSamplesMax);
  if (samples_.empty() || now - samples_.back().at >= spacing) samples_.push_back({now, total});
  if (samples_.size() > kSamplesMax) samples_.pop_front();
  return total - std::min(total, samples_.front().total);
}

std::optional<QuarantineAlarm> alarm_of_group(const Group& group, const QuarantineSpec& spec,
                                              WallTime now) {
  const bool is_new = group.open > 0 && now - group.first_at < spec.new_group;
  const bool is_known = !group.notes.owner.empty() || group.notes.merged_into ||
                        is_snoozed(group, now);
  if (!is_new || is_known) return std::nullopt;
  return QuarantineAlarm{"newGroup", group.fingerprint.hash, group.first_at,
                         fmt::format("deliveries began to fail with: {}", group.title())};
}

void QuarantineWatch::look_at_growth(const Live& live, const Sums& sums, const QuarantineSpec& spec,
                                     WallTime now, std::vector<QuarantineAlarm>& into) {
  std::erase_if(growth_, [&](const auto& entry) { return !sums.totals.contains(entry.first); });
  for (const auto& [flow, total] : sums.totals) {
    const std::uint64_t grown = growth_[flow].add(total, now, spec.window);
    if (spec.growth == 0 || grown < spec.growth) {
      growing_since_.erase(flow);
      continue;
    }
    const WallTime since = growing_since_.try_emplace(flow, now).first->second;
    into.push_back({"quarantineGrowth", name_of_flow(live, flow), since,
                    fmt::format("{} deliveries went into quarantine within {}", grown,
                                weir::to_text(spec.window))});
  }
}

async::Task<Result<>> QuarantineWatch::look_at_age(ports::Store& store, const Live& live,
                                                   const Sums& sums, QuarantineSpec spec,
                                                   WallTime now,
                                                   std::vector<QuarantineAlarm>& into) {
  if (spec.oldest <= Duration::zero()) co_return Result<>{};
  for (const FlowId flow : sums.open) {
    auto oldest = co_await oldest_of(store, flow, sums, now - spec.oldest);
    if (!oldest.ok()) co_return oldest.error();
    if (!*oldest) continue;
    into.push_back(
        {"quarantineAge", name_of_flow(live, flow), **oldest + spec.oldest,
         fmt::format("deliveries are in quarantine for more than {}", weir::to_text(spec.oldest))});
  }
  co_return Result<>{};
}

// Of those that went into quarantine before `until`, that nobody put aside.
async::Task<Result<std::optional<WallTime>>> QuarantineWatch::oldest_of(ports::Store& store,
                                                                        FlowId flow,
                                                                        const Sums& sums,
                                                                        WallTime until) {
  std::optional<WallTime> oldest;
  DeliveryRef after{};
  for (std::size_t reads = 0; reads < kOldReads && !oldest; ++reads) {
    auto rows = co_await store.deliveries().list(
        ports::DeliveryQuery{.flow = flow,
                             .state = DeliveryState::quarantined,
                             .until = until,
                             .after = after,
                             .limit = kOldPerRead});
    if (!rows.ok()) co_return rows.error();
    for (const Delivery& row : *rows) {
      if (row.archived || sums.snoozed.contains(row.group)) continue;
      oldest = std::min(oldest.value_or(row.changed_at), row.changed_at);
    }
    if (rows->size() < kOldPerRead) break;
    after = rows->back().ref;
  }
  co_return oldest;
}

async::Task<Result<>> QuarantineWatch::look_at_glass(ports::Store& store, WallTime now,
                                                     std::vector<QuarantineAlarm>& into) {
  auto approvals = co_await store.flows().approvals();
  if (!approvals.ok()) co_return approvals.error();
  for (const Approval& one : *approvals) {
    if (!one.break_glass || now - one.used >= kGlassAlarm) continue;
    into.push_back({"breakGlass", one.target, one.used,
                    fmt::format("{} without an approval, by {}: {}", one.what,
                                fmt::join(one.makers, ", "), one.reason)});
  }
  co_return Result<>{};
}

async::Task<> QuarantineWatch::look_at_store(ports::Store& store, WallTime now,
                                             std::vector<QuarantineAlarm>& into) {
  const ports::StoreStatus status = co_await store.info();
  if (!status.full) full_since_ = {};
  if (!status.full) co_return;
  if (full_since_ == WallTime{}) full_since_ = now;
  into.push_back({"storeFull", status.kind, full_since_,
                  "no space left on the disk of the data folder: new events are refused"});
}

async::Task<Result<>> QuarantineWatch::look(ports::Store& store, const Live& live,
                                            QuarantineSpec spec, WallTime now) {
  Sums sums;
  std::vector<QuarantineAlarm> alarms;
  auto walked = co_await for_each_group(store, [&](const Group& group) {
    sums.totals[group.flow] += group.total;
    if (group.open > 0) sums.open.insert(group.flow);
    if (is_snoozed(group, now)) sums.snoozed.insert(group.id);
    auto alarm = alarm_of_group(group, spec, now);
    if (alarm && alarms.size() < kNewGroupsMax) alarms.push_back(std::move(*alarm));
    return true;
  });
  if (!walked.ok()) co_return walked;
  look_at_growth(live, sums, spec, now, alarms);
  auto aged = co_await look_at_age(store, live, sums, spec, now, alarms);
  if (!aged.ok()) co_return aged.error();
  auto glass = co_await look_at_glass(store, now, alarms);
  if (!glass.ok()) co_return glass;
  co_await look_at_store(store, now, alarms);
  alarms_ = std::move(alarms);
  co_return Result<>{};
}

}  // namespace weir::recovery
