// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <set>

#include "store/records/envelope.h"
#include "store/records/packing.h"
#include "store/records/read_limits.h"
#include "store/records/rows.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/read_side.h"
#include "wire/audit_chain.h"

namespace weir::store::sqlite {
namespace {

// One record of a table whose key is its id.
template <class Row>
Result<Row> unsealed(const Query& query, int id_column, int record_column, std::string_view what,
                     Result<Row> (*decode)(std::string_view)) {
  WEIR_TRY(const std::string_view payload,
           unseal(key_bytes({query.integer(id_column)}), query.bytes(record_column), what));
  return decode(payload);
}

// The same of a table whose records may be encrypted.
template <class Row>
Result<Row> opened(ReadSide& side, const Query& query, std::string_view table,
                   std::string_view what, Result<Row> (*decode)(std::string_view)) {
  WEIR_TRY(const std::string_view payload,
           side.keys.unseal(table, key_bytes({query.integer(0)}), query.bytes(1), what));
  return decode(payload);
}

template <class Row, class Id>
Result<std::optional<Row>> find_by_id(ReadSide& side, const char* sql, Id id,
                                      std::string_view table, std::string_view what,
                                      Result<Row> (*decode)(std::string_view)) {
  WEIR_TRY(Query query, side.db.query(sql, id.value));
  WEIR_TRY(const bool found, query.next());
  if (!found) return std::optional<Row>();
  WEIR_TRY(Row row, opened(side, query, table, what, decode));
  return std::optional(std::move(row));
}

Result<> count_rows(Connection& db, std::map<FlowId, ports::FlowCounts>& counts) {
  WEIR_TRY(Query query,
           db.query("SELECT flow, state, count(*) FROM deliveries INDEXED BY deliveries_by_state "
                    "GROUP BY state, flow"));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return {};
    const auto entry = counts.find(FlowId{static_cast<std::uint32_t>(query.integer(0))});
    if (entry == counts.end()) continue;
    const auto state = static_cast<DeliveryState>(query.integer(1));
    const auto number = static_cast<std::uint64_t>(query.integer(2));
    if (state == DeliveryState::quarantined) {
      entry->second.quarantined += number;
    } else if (is_settled(state)) {
      entry->second.settled += number;
    } else {
      entry->second.waiting += number;
    }
  }
}

Result<> count_holds(Connection& db, std::map<FlowId, ports::FlowCounts>& counts) {
  WEIR_TRY(Query query, db.query("SELECT flow, sum(count) FROM holds GROUP BY flow"));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return {};
    const auto entry = counts.find(FlowId{static_cast<std::uint32_t>(query.integer(0))});
    if (entry != counts.end()) entry->second.held = static_cast<std::uint64_t>(query.integer(1));
  }
}

// Reads the group's part of an index, and only when its members have changed since the last time.
// Hashes are enough to count by.
Result<std::uint64_t> count_keys(ReadSide& side, const Group& group) {
  ReadSide::Keys& known = side.group_keys[group.id];
  const bool same = known.total == group.total && known.open == group.open;
  if (same) return known.keys;
  WEIR_TRY(Query query, side.db.query("SELECT key FROM deliveries INDEXED BY deliveries_by_group "
                                      "WHERE group_id <> 0 AND group_id = ?1 AND state = 4 "
                                      "AND length(key) > 0",
                                      group.id.value));
  std::vector<std::size_t> hashes;
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) break;
    hashes.push_back(std::hash<std::string_view>()(query.bytes(0)));
  }
  std::ranges::sort(hashes);
  const auto repeated = std::ranges::unique(hashes);
  known = {group.open, group.total, hashes.size() - repeated.size()};
  return known.keys;
}

}  // namespace

Result<std::vector<FlowRecord>> list_flows(Connection& db) {
  std::vector<FlowRecord> flows;
  WEIR_TRY(Query query, db.query("SELECT id, cursor, record FROM flows ORDER BY id"));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return flows;
    WEIR_TRY(FlowRecord flow, unsealed(query, 0, 2, "a flow", &decode_flow));
    WEIR_TRY(const std::string_view cursor,
             unseal(key_bytes({query.integer(0)}), query.bytes(1), "a cursor"));
    WEIR_TRY(flow.cursor, unpack_cursor(cursor));
    flows.push_back(std::move(flow));
  }
}

Result<std::vector<StreamRecord>> list_streams(Connection& db) {
  std::vector<StreamRecord> streams;
  WEIR_TRY(Query query, db.query("SELECT id, next_seq, first_seq, record, "
                                 "(SELECT max(pos) FROM events WHERE pos >= (id << 48) AND pos < "
                                 "((id + 1) << 48)) FROM streams ORDER BY id"));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return streams;
    WEIR_TRY(StreamRecord stream, unsealed(query, 0, 3, "a stream", &decode_stream));
    stream.next_seq = static_cast<std::uint64_t>(query.integer(1));
    stream.first_seq = static_cast<std::uint64_t>(query.integer(2));
    if (!query.is_null(4))
      stream.next_seq = std::max(stream.next_seq, Position::unpack(query.integer(4)).seq + 1);
    streams.push_back(std::move(stream));
  }
}

Result<std::vector<ports::FlowCounts>> count_flows(Connection& db) {
  std::map<FlowId, ports::FlowCounts> counts;
  {
    WEIR_TRY(Query query, db.query("SELECT id FROM flows"));
    for (;;) {
      WEIR_TRY(const bool row, query.next());
      if (!row) break;
      const FlowId id{static_cast<std::uint32_t>(query.integer(0))};
      counts[id].flow = id;
    }
  }
  WEIR_CHECK(count_rows(db, counts));
  WEIR_CHECK(count_holds(db, counts));
  std::vector<ports::FlowCounts> list;
  for (const auto& [id, count] : counts) list.push_back(count);
  return list;
}

Result<std::optional<std::string>> read_meta(ReadSide& side, const std::string& key) {
  WEIR_TRY(Query query, side.db.query("SELECT record FROM meta WHERE key = ?1", key));
  WEIR_TRY(const bool row, query.next());
  if (!row) return std::optional<std::string>();
  WEIR_TRY(const std::string_view value,
           side.keys.unseal("meta", key, query.bytes(0), "meta value " + key));
  return std::optional(std::string(value));
}

Result<std::vector<AccessToken>> list_tokens(Connection& db) {
  std::vector<AccessToken> tokens;
  WEIR_TRY(Query query, db.query("SELECT id, record FROM tokens ORDER BY id"));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return tokens;
    WEIR_TRY(AccessToken token, unsealed(query, 0, 1, "a token", &decode_token));
    tokens.push_back(std::move(token));
  }
}

Result<std::vector<Approval>> list_approvals(Connection& db) {
  std::vector<Approval> approvals;
  WEIR_TRY(Query query, db.query("SELECT id, record FROM approvals ORDER BY id"));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return approvals;
    WEIR_TRY(Approval approval, unsealed(query, 0, 1, "an approval", &decode_approval));
    approvals.push_back(std::move(approval));
  }
}

Result<std::vector<Group>> list_groups(ReadSide& side, const ports::GroupQuery& asked) {
  constexpr const char* kById =
      "SELECT id, record FROM groups WHERE id < ?4 AND (open > 0 OR ?1) "
      "AND substr(hash, 1, length(?2)) = ?2 ORDER BY id DESC LIMIT ?3";
  constexpr const char* kNewest =
      "SELECT id, record FROM groups WHERE ?4 = 0 AND (open > 0 OR ?1) "
      "AND substr(hash, 1, length(?2)) = ?2 ORDER BY last_at DESC, id DESC LIMIT ?3";
  std::vector<Group> groups;
  {
    WEIR_TRY(Query query, side.db.query(asked.before ? kById : kNewest, asked.with_closed,
                                        asked.hash_prefix, std::min(asked.limit, kListMax),
                                        asked.before.value_or(GroupId{}).value));
    for (;;) {
      WEIR_TRY(const bool row, query.next());
      if (!row) break;
      WEIR_TRY(Group group, opened(side, query, "groups", "a group", &decode_group));
      groups.push_back(std::move(group));
    }
  }
  if (!asked.with_keys) return groups;
  if (side.group_keys.size() > 16 * kListMax) side.group_keys.clear();
  for (Group& group : groups) {
    WEIR_TRY(group.keys, count_keys(side, group));
  }
  return groups;
}

Result<std::optional<Group>> get_group(ReadSide& side, GroupId id) {
  return find_by_id(side, "SELECT id, record FROM groups WHERE id = ?1", id, "groups", "a group",
                    &decode_group);
}

Result<std::vector<Replay>> list_replays(ReadSide& side) {
  std::vector<Replay> replays;
  WEIR_TRY(Query query,
           side.db.query("SELECT id, record FROM replays ORDER BY state >= ?1, id DESC LIMIT ?2",
                         static_cast<int>(ReplayState::aborted), kReplaysMax));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return replays;
    WEIR_TRY(Replay replay, opened(side, query, "replays", "a replay", &decode_replay));
    replays.push_back(std::move(replay));
  }
}

Result<std::optional<Replay>> get_replay(ReadSide& side, ReplayId id) {
  return find_by_id(side, "SELECT id, record FROM replays WHERE id = ?1", id, "replays", "a replay",
                    &decode_replay);
}

Result<std::vector<ReplayItem>> replay_items(Connection& db, ReplayId id,
                                             std::optional<ItemState> state, DeliveryRef after,
                                             std::size_t limit) {
  std::vector<ReplayItem> items;
  WEIR_TRY(
      Query query,
      db.query(
          "SELECT flow, pos, state FROM replay_items WHERE replay = ?1 AND (flow, pos) > (?2, ?3) "
          "AND (?4 < 0 OR state = ?4) ORDER BY flow, pos LIMIT ?5",
          id.value, after.flow.value, after.position.pack(), state ? static_cast<int>(*state) : -1,
          std::min(limit, kPageMax)));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return items;
    items.push_back(
        {id, ref_of(query.integer(0), query.integer(1)), static_cast<ItemState>(query.integer(2))});
  }
}

Result<std::optional<ReplayId>> open_replay_of(Connection& db, DeliveryRef ref) {
  WEIR_TRY(const std::int64_t id,
           db.integer("SELECT r.id FROM replays r CROSS JOIN replay_items i ON i.replay = r.id "
                      "WHERE r.state < 6 AND i.flow = ?1 AND i.pos = ?2 ORDER BY r.id LIMIT 1",
                      0, ref.flow.value, ref.position.pack()));
  if (id == 0) return std::optional<ReplayId>();
  return std::optional(ReplayId{static_cast<std::uint32_t>(id)});
}

Result<std::optional<std::string>> read_audit_head(Connection& db) {
  WEIR_TRY(Query query, db.query("SELECT record FROM meta WHERE key = ?1", ports::kAuditHeadMeta));
  WEIR_TRY(const bool row, query.next());
  if (!row) return std::optional<std::string>();
  WEIR_TRY(const std::string_view value,
           unseal(ports::kAuditHeadMeta, query.bytes(0), "the head of the audit"));
  return std::optional(std::string(value));
}

Result<AuditHead> audit_head(Connection& db) {
  WEIR_TRY(const auto kept, read_audit_head(db));
  AuditHead head = kept ? wire::parse_audit_head(*kept).value_or(AuditHead{}) : AuditHead{};
  // AUTOINCREMENT never uses a number again.
  WEIR_TRY(const std::int64_t last,
           db.integer("SELECT seq FROM sqlite_sequence WHERE name = 'audit'", 0));
  head.number = std::max(head.number, static_cast<std::uint64_t>(last));
  return head;
}

Result<std::vector<AuditEntry>> audit_before(Connection& db, std::uint64_t number,
                                             std::size_t limit) {
  std::vector<AuditEntry> entries;
  const auto before = static_cast<std::int64_t>(
      std::min<std::uint64_t>(number, std::numeric_limits<std::int64_t>::max()));
  WEIR_TRY(
      Query query,
      db.query("SELECT number, record FROM audit WHERE number < ?1 ORDER BY number DESC LIMIT ?2",
               before, std::min(limit, kPageMax)));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return entries;
    WEIR_TRY(AuditEntry entry, unsealed(query, 0, 1, "an audit entry", &decode_audit));
    entry.number = static_cast<std::uint64_t>(query.integer(0));
    entries.push_back(std::move(entry));
  }
}

}  // namespace weir::store::sqlite
