// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "store/memory/reads.h"
#include "store/records/read_limits.h"

namespace weir::store::memory {
namespace {

bool fits(const ports::DeliveryQuery& query, const Delivery& row) {
  if (query.flow && row.ref.flow != *query.flow) return false;
  if (query.state && row.state != *query.state) return false;
  if (query.failure && row.failure != *query.failure) return false;
  if (query.group && row.group != *query.group) return false;
  if (query.since && row.changed_at < *query.since) return false;
  if (query.until && row.changed_at >= *query.until) return false;
  return query.key.empty() || row.key == query.key;
}

bool is_moving(DeliveryState state) {
  return state == DeliveryState::ready || state == DeliveryState::inFlight ||
         state == DeliveryState::waiting;
}

}  // namespace

std::vector<Delivery> list_deliveries(const Tables& tables, const ports::DeliveryQuery& query) {
  std::vector<Delivery> rows;
  const std::size_t limit = std::min(query.limit, kListMax);
  for (auto at = tables.deliveries.upper_bound(query.after); at != tables.deliveries.end(); ++at) {
    if (rows.size() == limit) break;
    if (fits(query, at->second)) rows.push_back(at->second);
  }
  return rows;
}

std::uint64_t count_deliveries(const Tables& tables, const ports::DeliveryQuery& query) {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      tables.deliveries, [&](const auto& entry) { return fits(query, entry.second); }));
}

std::vector<ports::DueEntry> due_entries(const Tables& tables, FlowId flow, Position after,
                                         std::size_t limit) {
  std::vector<ports::DueEntry> entries;
  limit = std::min(limit, kPageMax);
  for (auto at = tables.deliveries.upper_bound({flow, after}); at != tables.deliveries.end();
       ++at) {
    const Delivery& row = at->second;
    if (row.ref.flow != flow || entries.size() == limit) break;
    if (!is_moving(row.state)) continue;
    entries.push_back({row.ref, row.state, row.due, row.replay, row.interruptions, !row.key.empty(),
                       row.failure, row.deadline});
  }
  return entries;
}

std::vector<Hold> holds_of(const Tables& tables, FlowId flow) {
  std::vector<Hold> holds;
  for (auto at = tables.holds.lower_bound({flow, ""});
       at != tables.holds.end() && at->first.first == flow; ++at) {
    holds.push_back(at->second);
  }
  return holds;
}

std::vector<std::pair<Settlement, WallTime>> settlements_of(const Tables& tables, FlowId flow,
                                                            Position first, std::size_t count) {
  std::vector<std::pair<Settlement, WallTime>> list;
  const auto log = tables.streams.find(first.stream);
  const std::uint64_t end = first.seq + std::min(count, kPageMax);
  std::uint64_t from = first.seq;
  if (log != tables.streams.end()) from = std::max(from, log->second.record.first_seq);
  for (auto at = tables.settlements.lower_bound({flow, from}); at != tables.settlements.end();
       ++at) {
    if (at->first.first != flow || at->first.second >= end) break;
    list.push_back(at->second);
  }
  return list;
}

std::vector<ports::FlowCounts> count_flows(const Tables& tables) {
  std::map<FlowId, ports::FlowCounts> counts;
  for (const auto& [id, flow] : tables.flows) counts[id].flow = id;
  for (const auto& [ref, row] : tables.deliveries) {
    const auto entry = counts.find(ref.flow);
    if (entry == counts.end()) continue;
    ports::FlowCounts& count = entry->second;
    if (is_moving(row.state)) ++count.waiting;
    if (row.state == DeliveryState::quarantined) ++count.quarantined;
    if (is_settled(row.state)) ++count.settled;
  }
  for (const auto& [key, hold] : tables.holds) {
    const auto entry = counts.find(key.first);
    if (entry != counts.end()) entry->second.held += hold.count;
  }
  std::vector<ports::FlowCounts> list;
  for (const auto& [id, count] : counts) list.push_back(count);
  return list;
}

std::vector<Group> list_groups(const Tables& tables, const ports::GroupQuery& query) {
  std::map<GroupId, std::set<std::string>> keys;
  for (const auto& [ref, row] : tables.deliveries) {
    if (row.state == DeliveryState::quarantined && !row.key.empty())
      keys[row.group].insert(row.key);
  }
  std::vector<Group> groups;
  for (const auto& [id, group] : tables.groups) {
    if (!query.with_closed && group.open == 0) continue;
    if (!group.fingerprint.hash.starts_with(query.hash_prefix)) continue;
    if (query.before && id >= *query.before) continue;
    groups.push_back(group);
    if (query.with_keys) groups.back().keys = keys[id].size();
  }
  std::ranges::sort(groups, std::greater{}, [&query](const Group& group) {
    return std::pair(query.before ? WallTime{} : group.last_at, group.id);
  });
  groups.resize(std::min({groups.size(), query.limit, kListMax}));
  return groups;
}

std::vector<ReplayItem> replay_items(const Tables& tables, ReplayId id,
                                     std::optional<ItemState> state, DeliveryRef after,
                                     std::size_t limit) {
  std::vector<ReplayItem> items;
  limit = std::min(limit, kPageMax);
  for (auto at = tables.items.upper_bound({id, after}); at != tables.items.end(); ++at) {
    if (at->first.first != id || items.size() == limit) break;
    if (!state || at->second == *state) items.push_back({id, at->first.second, at->second});
  }
  return items;
}

std::vector<AuditEntry> audit_before(const Tables& tables, std::uint64_t number,
                                     std::size_t limit) {
  std::vector<AuditEntry> entries;
  limit = std::min(limit, kPageMax);
  std::uint64_t next = std::min<std::uint64_t>(number == 0 ? 0 : number - 1, tables.audit.size());
  for (; next > 0 && entries.size() < limit; --next) entries.push_back(tables.audit[next - 1]);
  return entries;
}

}  // namespace weir::store::memory
