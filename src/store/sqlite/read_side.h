// SPDX-License-Identifier: Apache-2.0
// Questions to the database, one function per method of the read ports. On a read-only connection;
// each is one short transaction.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ports/store.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/stream_keys.h"

namespace weir::store::sqlite {

// A read connection and what it remembers.
struct ReadSide {
  ReadSide(Connection connection, std::shared_ptr<Keyring> ring)
      : db(std::move(connection)), keys(db, std::move(ring)) {}
  ReadSide(const ReadSide&) = delete;
  ReadSide& operator=(const ReadSide&) = delete;
  Connection db;
  StreamKeys keys;
  struct Keys {
    std::uint64_t open = 0;
    std::uint64_t total = 0;
    std::uint64_t keys = 0;
  };
  std::map<GroupId, Keys> group_keys;  // valid while open and total are the same
};

// --- EventLog ---
Result<std::vector<StoredEvent>> read_events(ReadSide& side, StreamId stream, std::uint64_t first,
                                             std::size_t max_events, std::size_t max_bytes);
Result<std::vector<StoredEvent>> fetch_events(ReadSide& side, const std::vector<DeliveryRef>& refs);
Result<std::vector<StoredEvent>> read_kept(ReadSide& side, FlowId flow, Position first,
                                           std::size_t max_events);
Result<std::vector<Position>> find_id(ReadSide& side, const std::string& id, std::size_t scan);
Result<std::uint64_t> seek(Connection& db, StreamId stream, WallTime time);
// nullopt if there is no such event, or another one. A damaged record is no answer either.
Result<std::optional<Position>> event_at(ReadSide& side, Position position,
                                         const std::string& source, const std::string& id);

// --- DeliveryTable ---
Result<std::optional<Delivery>> get_delivery(ReadSide& side, DeliveryRef ref);
Result<std::vector<Delivery>> get_deliveries(ReadSide& side, const std::vector<DeliveryRef>& refs);
Result<std::vector<Delivery>> list_deliveries(ReadSide& side, const ports::DeliveryQuery& query);
Result<std::uint64_t> count_deliveries(ReadSide& side, const ports::DeliveryQuery& query);
Result<std::vector<Revision>> newest_revisions(ReadSide& side,
                                               const std::vector<DeliveryRef>& refs);
Result<std::vector<Revision>> revisions_of(ReadSide& side, DeliveryRef ref);
Result<std::vector<ports::DueEntry>> due_entries(Connection& db, FlowId flow, Position after,
                                                 std::size_t limit);
Result<std::vector<Hold>> holds_of(ReadSide& side, FlowId flow);
Result<std::optional<std::pair<Settlement, WallTime>>> settlement_of(Connection& db, FlowId flow,
                                                                     Position position);
Result<std::vector<std::pair<Settlement, WallTime>>> settlements_of(Connection& db, FlowId flow,
                                                                    Position first,
                                                                    std::size_t count);

// --- FlowTable ---
Result<std::vector<FlowRecord>> list_flows(Connection& db);
Result<std::vector<StreamRecord>> list_streams(Connection& db);
Result<std::vector<ports::FlowCounts>> count_flows(Connection& db);
Result<std::optional<std::string>> read_meta(ReadSide& side, const std::string& key);
Result<std::vector<AccessToken>> list_tokens(Connection& db);
Result<std::vector<Approval>> list_approvals(Connection& db);

// --- RecoveryTable ---
Result<std::vector<Group>> list_groups(ReadSide& side, const ports::GroupQuery& query);
Result<std::optional<Group>> get_group(ReadSide& side, GroupId id);
Result<std::vector<Replay>> list_replays(ReadSide& side);
Result<std::optional<Replay>> get_replay(ReadSide& side, ReplayId id);
Result<std::vector<ReplayItem>> replay_items(Connection& db, ReplayId id,
                                             std::optional<ItemState> state, DeliveryRef after,
                                             std::size_t limit);
Result<std::optional<ReplayId>> open_replay_of(Connection& db, DeliveryRef ref);
// Where the chain is to go on. If somebody has removed what is kept of it, numbers go on
// nevertheless: nothing stops, and the verifier finds it.
// As it was written; nullopt: nothing is audited yet.
Result<std::optional<std::string>> read_audit_head(Connection& db);
Result<AuditHead> audit_head(Connection& db);
Result<std::vector<AuditEntry>> audit_before(Connection& db, std::uint64_t number,
                                             std::size_t limit);

// --- EffectTable ---
Result<std::optional<Effect>> get_effect(ReadSide& side, const std::string& key);
Result<std::optional<Effect>> find_effect(ReadSide& side, EffectId id);
Result<std::vector<Effect>> list_effects(ReadSide& side, const ports::EffectQuery& query);
Result<std::vector<Effect>> effects_of(ReadSide& side, const std::vector<DeliveryRef>& refs);
Result<std::vector<std::pair<std::string, std::uint64_t>>> effects_in_doubt(ReadSide& side);
Result<std::vector<std::pair<std::string, WallTime>>> oldest_settled_effects(ReadSide& side);

}  // namespace weir::store::sqlite
