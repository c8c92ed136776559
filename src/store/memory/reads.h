// SPDX-License-Identifier: Apache-2.0
// Questions about the tables, one function per method of the read ports.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ports/store.h"
#include "store/memory/tables.h"

namespace weir::store::memory {

// --- EventLog ---
Result<std::vector<StoredEvent>> read_events(const Tables& tables, StreamId stream,
                                             std::uint64_t first, std::size_t max_events,
                                             std::size_t max_bytes);
std::vector<StoredEvent> fetch_events(const Tables& tables, const std::vector<DeliveryRef>& refs);
std::vector<StoredEvent> read_kept(const Tables& tables, FlowId flow, Position first,
                                   std::size_t max_events);
std::optional<Position> find_event(Tables& tables, StreamId stream, const std::string& source,
                                   const std::string& id);
std::vector<Position> find_id(const Tables& tables, const std::string& id, std::size_t scan);
Result<std::uint64_t> seek(const Tables& tables, StreamId stream, WallTime time);

// --- DeliveryTable ---
std::vector<Delivery> list_deliveries(const Tables& tables, const ports::DeliveryQuery& query);
std::uint64_t count_deliveries(const Tables& tables, const ports::DeliveryQuery& query);
std::vector<ports::DueEntry> due_entries(const Tables& tables, FlowId flow, Position after,
                                         std::size_t limit);
std::vector<std::pair<Settlement, WallTime>> settlements_of(const Tables& tables, FlowId flow,
                                                            Position first, std::size_t count);
std::vector<Hold> holds_of(const Tables& tables, FlowId flow);

// --- FlowTable ---
std::vector<ports::FlowCounts> count_flows(const Tables& tables);

// --- RecoveryTable ---
std::vector<Group> list_groups(const Tables& tables, const ports::GroupQuery& query);
std::vector<ReplayItem> replay_items(const Tables& tables, ReplayId id,
                                     std::optional<ItemState> state, DeliveryRef after,
                                     std::size_t limit);
std::vector<AuditEntry> audit_before(const Tables& tables, std::uint64_t number, std::size_t limit);

// --- EffectTable ---
std::optional<Effect> get_effect(const Tables& tables, const std::string& key);
std::vector<Effect> list_effects(const Tables& tables, const ports::EffectQuery& query);
std::vector<Effect> effects_of(const Tables& tables, const std::vector<DeliveryRef>& refs);
std::vector<std::pair<std::string, std::uint64_t>> effects_in_doubt(const Tables& tables);
std::vector<std::pair<std::string, WallTime>> oldest_settled_effects(const Tables& tables);

}  // namespace weir::store::memory
