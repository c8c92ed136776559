// SPDX-License-Identifier: Apache-2.0
#include "recovery/quarantine_watch.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace weir::recovery {
namespace {

constexpr std::size_t kOldestLookedAt = 100;  // rows per flow, for one that nobody put aside

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

std::vector<QuarantineAlarm> alarms_of_groups(const std::vector<Group>& groups,
                                              const QuarantineSpec& spec, WallTime now) {
  std::vector<QuarantineAlarm> alarms;
  for (const Group& group : groups) {
    const bool is_new = group.open > 0 && now - group.first_at < spec.new_group;
    const bool is_known = !group.notes.owner.empty() || group.notes.merged_into ||
                          is_snoozed(group, now);
    if (!is_new || is_known) continue;
    alarms.push_back({"newGroup", group.fingerprint.hash, group.first_at,
                      fmt::format("deliveries began to fail with: {}", group.title())});
  }
  return alarms;
}

void QuarantineWatch::look_at_growth(const Live& live, const std::vector<Group>& groups,
                                     const QuarantineSpec& spec, WallTime now,
                                     std::vector<QuarantineAlarm>& into) {
  std::map<FlowId, std::uint64_t> totals;
  for (const Group& group : groups) totals[group.flow] += group.total;
  std::erase_if(growth_, [&](const auto& entry) { return !totals.contains(entry.first); });
  for (const auto& [flow, total] : totals) {
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
                                                   const std::vector<Group>& groups,
                                                   QuarantineSpec spec, WallTime now,
                                                   std::vector<QuarantineAlarm>& into) {
  std::map<GroupId, bool> snoozed;
  std::set<FlowId> flows;
  for (const Group& group : groups) {
    snoozed[group.id] = is_snoozed(group, now);
    if (group.open > 0) flows.insert(group.flow);
  }
  if (spec.oldest <= Duration::zero()) co_return Result<>{};
  for (const FlowId flow : flows) {
    auto rows = co_await store.deliveries().list(ports::DeliveryQuery{
        .flow = flow, .state = DeliveryState::quarantined, .limit = kOldestLookedAt});
    if (!rows.ok()) co_return rows.error();
    for (const Delivery& row : *rows) {
      if (row.archived || snoozed[row.group] || now - row.changed_at < spec.oldest) continue;
      into.push_back({"quarantineAge", name_of_flow(live, flow), row.changed_at + spec.oldest,
                      fmt::format("deliveries are in quarantine for more than {}",
                                  weir::to_text(spec.oldest))});
      break;
    }
  }
  co_return Result<>{};
}

async::Task<Result<>> QuarantineWatch::look(ports::Store& store, const Live& live,
                                            QuarantineSpec spec, WallTime now) {
  auto groups = co_await store.recovery().groups(true);
  if (!groups.ok()) co_return groups.error();
  std::vector<QuarantineAlarm> alarms = alarms_of_groups(*groups, spec, now);
  look_at_growth(live, *groups, spec, now, alarms);
  auto aged = co_await look_at_age(store, live, *groups, spec, now, alarms);
  if (!aged.ok()) co_return aged.error();
  alarms_ = std::move(alarms);
  co_return Result<>{};
}

}  // namespace weir::recovery
