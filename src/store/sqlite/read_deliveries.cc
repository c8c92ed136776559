// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <sqlite3.h>

#include "store/records/envelope.h"
#include "store/records/packing.h"
#include "store/records/read_limits.h"
#include "store/records/rows.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/read_side.h"
#include "store/sqlite/settlement_span.h"

namespace weir::store::sqlite {
namespace {

using ports::DeliveryQuery;

#define WEIR_ROW_COLUMNS                                                                         \
  "flow, pos, state, failure, group_id, changed_at, due, replay, interruptions, key, event_id, " \
  "record"

// A damaged record costs its details, not the row: the columns tell the rest.
Delivery row_of(ReadSide& side, const Query& query) {
  const DeliveryRef ref = ref_of(query.integer(0), query.integer(1));
  const GroupId group{static_cast<std::uint32_t>(query.integer(4))};
  const auto payload = side.keys.unseal("deliveries", key_of(ref), query.bytes(11), "a delivery");
  if (payload.ok()) {
    auto row = decode_delivery(*payload);
    if (row.ok()) {
      row->group = group;
      return *std::move(row);
    }
  }
  Delivery row;
  row.ref = ref;
  row.state = static_cast<DeliveryState>(query.integer(2));
  row.failure = static_cast<FailureClass>(query.integer(3));
  row.group = group;
  row.changed_at = from_micros(query.integer(5));
  row.due = from_micros(query.integer(6));
  row.replay = ReplayId{static_cast<std::uint32_t>(query.integer(7))};
  row.interruptions = static_cast<std::uint32_t>(query.integer(8));
  if (form_of(query.bytes(11)) == Form::plain) {
    row.key = query.bytes(9);
    row.event_id = query.bytes(10);
  }
  row.reason =
      payload.ok() || payload.error().code == Code::store_corrupt
          ? "the record of this delivery is damaged: its history is lost (run `weir store check`)"
          : "the record of this delivery cannot be decrypted: " + payload.error().detail;
  return row;
}

// The conditions of a query as SQL; every value is a number or the bound key.
std::string conditions(const DeliveryQuery& query) {
  std::string where = " WHERE 1";
  if (query.flow) where += fmt::format(" AND flow = {}", query.flow->value);
  if (query.state) where += fmt::format(" AND state = {}", static_cast<int>(*query.state));
  if (query.failure) where += fmt::format(" AND failure = {}", static_cast<int>(*query.failure));
  if (query.group) where += fmt::format(" AND group_id = {}", query.group->value);
  if (query.since) where += fmt::format(" AND changed_at >= {}", to_micros(*query.since));
  if (query.until) where += fmt::format(" AND changed_at < {}", to_micros(*query.until));
  if (!query.key.empty()) where += " AND key IN (?1, ?2)";
  return where;
}

// As the column has it, and as it had it before the store was encrypted.
Result<> bind_key(ReadSide& side, const DeliveryQuery& query, Query& rows) {
  if (query.key.empty()) return {};
  WEIR_TRY(const std::string column, side.keys.column(query.key));
  rows.bind(1, std::string_view(query.key));
  rows.bind(2, std::string_view(column));
  return {};
}

// The narrowest index that gives (flow, pos) order by itself.
const char* source_of(const DeliveryQuery& query) {
  if (query.group && query.group->value != 0)
    return " FROM deliveries INDEXED BY deliveries_by_group";
  if (query.state) return " FROM deliveries INDEXED BY deliveries_by_state";
  return " FROM deliveries NOT INDEXED";
}

std::string group_term(const DeliveryQuery& query) {
  return query.group && query.group->value != 0 ? " AND group_id <> 0" : "";
}

Result<std::vector<Delivery>> rows_of(ReadSide& side, Query& query) {
  std::vector<Delivery> rows;
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return rows;
    rows.push_back(row_of(side, query));
  }
}

Result<> due_of_state(Connection& db, FlowId flow, Position after, std::size_t limit,
                      DeliveryState state, std::vector<ports::DueEntry>& entries) {
  WEIR_TRY(
      Query query,
      db.query(
          "SELECT pos, due, replay, interruptions, length(key), failure, deadline FROM deliveries "
          "INDEXED BY deliveries_by_state WHERE state = ?1 AND flow = ?2 AND pos > ?3 "
          "ORDER BY pos LIMIT ?4",
          state, flow.value, after.pack(), limit));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return {};
    entries.push_back({.ref = ref_of(flow.value, query.integer(0)),
                       .state = state,
                       .due = from_micros(query.integer(1)),
                       .replay = ReplayId{static_cast<std::uint32_t>(query.integer(2))},
                       .interruptions = static_cast<std::uint32_t>(query.integer(3)),
                       .has_key = query.integer(4) > 0,
                       .failure = static_cast<FailureClass>(query.integer(5)),
                       .deadline = from_micros(query.integer(6))});
  }
}

struct Settled {
  std::vector<Settlement> list;
  WallTime at{};
};

// Of a row with min_seq, number and record.
Result<Settled> settled_of(FlowId flow, Query& query) {
  const std::string bound = key_bytes({flow.value, query.integer(0), query.integer(1)});
  WEIR_TRY(const std::string_view payload, unseal(bound, query.bytes(2), "settlements"));
  std::int64_t at = 0;
  if (payload.size() < sizeof at)
    return Error{Code::store_corrupt, "a settlement record is too short", ""};
  std::memcpy(&at, payload.data(), sizeof at);
  WEIR_TRY(auto list, unpack_settlements(payload.substr(sizeof at)));
  return Settled{std::move(list), from_micros(at)};
}

}  // namespace

Result<std::optional<Delivery>> get_delivery(ReadSide& side, DeliveryRef ref) {
  WEIR_TRY(Query query,
           side.db.query("SELECT " WEIR_ROW_COLUMNS " FROM deliveries WHERE flow = ?1 AND pos = ?2",
                         ref.flow.value, ref.position.pack()));
  WEIR_TRY(const bool row, query.next());
  if (!row) return std::optional<Delivery>();
  return std::optional(row_of(side, query));
}

Result<std::vector<Delivery>> get_deliveries(ReadSide& side, const std::vector<DeliveryRef>& refs) {
  std::vector<Delivery> rows;
  for (const DeliveryRef ref : refs) {
    WEIR_TRY(auto row, get_delivery(side, ref));
    if (row) rows.push_back(*std::move(row));
  }
  return rows;
}

Result<std::vector<Delivery>> list_deliveries(ReadSide& side, const DeliveryQuery& query) {
  const std::size_t limit = std::min(query.limit, kListMax);
  // Of one flow: said so that the index can begin there, instead of sorting all that is left.
  const bool begun = query.flow && query.after.flow == *query.flow;
  const std::string beyond = begun ? fmt::format(" AND pos > {}", query.after.position.pack()) : "";
  const std::string sql = fmt::format(
      "SELECT " WEIR_ROW_COLUMNS "{}{}{}{} AND (flow, pos) > ({}, {}) ORDER BY {} LIMIT {}",
      source_of(query), conditions(query), group_term(query), beyond, query.after.flow.value,
      query.after.position.pack(), query.flow ? "pos" : "flow, pos", limit);
  WEIR_TRY(const auto statement, side.db.prepare(sql));
  Query rows(statement.get());
  WEIR_CHECK(bind_key(side, query, rows));
  return rows_of(side, rows);
}

Result<std::uint64_t> count_deliveries(ReadSide& side, const DeliveryQuery& query) {
  const std::string sql = fmt::format("SELECT count(*){}{}{}", source_of(query), conditions(query),
                                      group_term(query));
  WEIR_TRY(const auto statement, side.db.prepare(sql));
  Query rows(statement.get());
  WEIR_CHECK(bind_key(side, query, rows));
  WEIR_TRY([[maybe_unused]] const bool row, rows.next());
  return static_cast<std::uint64_t>(rows.integer(0));
}

Result<std::vector<ports::DueEntry>> due_entries(Connection& db, FlowId flow, Position after,
                                                 std::size_t limit) {
  std::vector<ports::DueEntry> entries;
  limit = std::min(limit, kPageMax);
  for (const DeliveryState state :
       {DeliveryState::ready, DeliveryState::inFlight, DeliveryState::waiting}) {
    WEIR_CHECK(due_of_state(db, flow, after, limit, state, entries));
  }
  std::ranges::sort(entries, {}, &ports::DueEntry::ref);
  entries.resize(std::min(entries.size(), limit));
  return entries;
}

Result<std::vector<Hold>> holds_of(ReadSide& side, FlowId flow) {
  std::vector<Hold> holds;
  WEIR_TRY(Query query,
           side.db.query("SELECT key, record FROM holds WHERE flow = ?1 ORDER BY key", flow.value));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) break;
    const std::string bound = key_bytes({flow.value}) + std::string(query.bytes(0));
    WEIR_TRY(const std::string_view payload,
             side.keys.unseal("holds", bound, query.bytes(1), "a hold"));
    WEIR_TRY(Hold hold, decode_hold(payload));
    holds.push_back(std::move(hold));
  }
  if (side.keys.on()) std::ranges::sort(holds, {}, &Hold::key);  // the column has a hash of it
  return holds;
}

Result<std::optional<std::pair<Settlement, WallTime>>> settlement_of(Connection& db, FlowId flow,
                                                                     Position position) {
  using Found = std::optional<std::pair<Settlement, WallTime>>;
  const std::uint64_t seq = position.seq;
  WEIR_TRY(const std::int64_t first,
           db.integer("SELECT first_seq FROM streams WHERE id = ?1", 0, position.stream.value));
  if (seq < static_cast<std::uint64_t>(first)) return Found();
  const std::uint64_t lowest = seq < kSettlementSpan ? 0 : seq - kSettlementSpan + 1;
  WEIR_TRY(Query query,
           db.query("SELECT min_seq, number, record FROM settlements "
                    "WHERE flow = ?1 AND min_seq >= ?2 AND min_seq <= ?3 AND max_seq >= ?3 "
                    "ORDER BY number DESC",
                    flow.value, lowest, seq));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return Found();
    WEIR_TRY(const Settled settled, settled_of(flow, query));
    const auto found = std::ranges::lower_bound(settled.list, seq, {}, &Settlement::seq);
    if (found != settled.list.end() && found->seq == seq)
      return Found(std::pair(*found, settled.at));
  }
}

Result<std::vector<std::pair<Settlement, WallTime>>> settlements_of(Connection& db, FlowId flow,
                                                                    Position first,
                                                                    std::size_t count) {
  WEIR_TRY(const std::int64_t kept,
           db.integer("SELECT first_seq FROM streams WHERE id = ?1", 0, first.stream.value));
  const std::uint64_t from = std::max(first.seq, static_cast<std::uint64_t>(kept));
  const std::uint64_t end = first.seq + std::min(count, kPageMax);
  std::map<std::uint64_t, std::pair<Settlement, WallTime>> latest;
  if (from >= end) return std::vector<std::pair<Settlement, WallTime>>();
  const std::uint64_t lowest = from < kSettlementSpan ? 0 : from - kSettlementSpan + 1;
  WEIR_TRY(Query query,
           db.query("SELECT min_seq, number, record FROM settlements "
                    "WHERE flow = ?1 AND min_seq >= ?2 AND min_seq < ?4 AND max_seq >= ?3 "
                    "ORDER BY number",
                    flow.value, lowest, from, end));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) break;
    WEIR_TRY(const Settled settled, settled_of(flow, query));
    for (const Settlement& one : settled.list) {
      if (one.seq >= from && one.seq < end)
        latest.insert_or_assign(one.seq, std::pair(one, settled.at));
    }
  }
  std::vector<std::pair<Settlement, WallTime>> list;
  for (const auto& [seq, settled] : latest) list.push_back(settled);
  return list;
}

}  // namespace weir::store::sqlite
