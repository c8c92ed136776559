// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "store/records/envelope.h"
#include "store/records/rows.h"
#include "store/sqlite/apply.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/read_side.h"

namespace weir::store::sqlite {
namespace {

using namespace ports;

Result<Replay> read_replay(WriteSide& side, ReplayId id) {
  WEIR_TRY(Query query, side.db.query("SELECT record FROM replays WHERE id = ?1", id.value));
  WEIR_TRY(const bool row, query.next());
  WEIR_ASSERT(row);  // the batch was checked
  WEIR_TRY(const std::string_view payload,
           side.keys.unseal("replays", key_bytes({id.value}), query.bytes(0), "a replay"));
  return decode_replay(payload);
}

Result<> write_replay(WriteSide& side, const Replay& replay) {
  WEIR_TRY(const std::string record,
           side.keys.seal("replays", kStoreKeys, key_bytes({replay.id.value}), encode_row(replay)));
  return side.db.run(
      "INSERT INTO replays(id, state, record) VALUES(?1, ?2, ?3) "
      "ON CONFLICT(id) DO UPDATE SET state = ?2, record = ?3",
      replay.id.value, replay.state, record);
}

// A run of rows that one index gives in position order: one flow, and one group of it if the
// selection names one.
struct Span {
  std::int64_t flow = 0;
  std::int64_t group = 0;  // 0 = any
};

Result<std::vector<Span>> spans_of_group(WriteSide& side, const Selection& selection) {
  std::vector<Span> spans;
  WEIR_TRY(Query query,
           side.db.query("SELECT g.flow, g.id FROM groups g LEFT JOIN flows f ON f.id = g.flow "
                         "WHERE g.hash = ?1 AND (length(?2) = 0 OR f.name = ?2) ORDER BY g.flow",
                         selection.group, selection.flow));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return spans;
    spans.push_back({query.integer(0), query.integer(1)});
  }
}

Result<std::vector<Span>> spans_of_flow(WriteSide& side, const Selection& selection) {
  std::vector<Span> spans;
  WEIR_TRY(Query query,
           side.db.query("SELECT id FROM flows WHERE name = ?1 ORDER BY id", selection.flow));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return spans;
    spans.push_back({query.integer(0), 0});
  }
}

// Every flow that has quarantined rows, found by jumping through the index.
Result<std::vector<Span>> spans_of_all(WriteSide& side) {
  std::vector<Span> spans;
  std::int64_t flow = 0;
  for (;;) {
    WEIR_TRY(flow, side.db.integer("SELECT flow FROM deliveries INDEXED BY deliveries_by_state "
                                   "WHERE state = 4 AND flow > ?1 ORDER BY flow LIMIT 1",
                                   0, flow));
    if (flow == 0) return spans;
    spans.push_back({flow, 0});
  }
}

Result<std::vector<Span>> spans_of(WriteSide& side, const Selection& selection) {
  if (!selection.group.empty()) return spans_of_group(side, selection);
  if (!selection.flow.empty()) return spans_of_flow(side, selection);
  return spans_of_all(side);
}

struct Looked {
  std::int64_t rows = 0;
  std::int64_t last_pos = 0;
};

// How far `limit` quarantined rows of the span reach; answered by an index alone.
Result<Looked> look(WriteSide& side, const Span& span, std::int64_t after, std::int64_t limit) {
  constexpr const char* kByGroup =
      "SELECT count(*), max(pos) FROM (SELECT pos FROM deliveries INDEXED BY deliveries_by_group "
      "WHERE group_id <> 0 AND group_id = ?1 AND flow = ?2 AND pos > ?3 AND state = 4 ORDER BY pos "
      "LIMIT ?4)";
  constexpr const char* kByFlow =
      "SELECT count(*), max(pos) FROM (SELECT pos FROM deliveries INDEXED BY deliveries_by_state "
      "WHERE ?1 = 0 AND state = 4 AND flow = ?2 AND pos > ?3 ORDER BY pos LIMIT ?4)";
  WEIR_TRY(Query query, side.db.query(span.group == 0 ? kByFlow : kByGroup, span.group, span.flow,
                                      after, limit));
  WEIR_TRY([[maybe_unused]] const bool row, query.next());
  return Looked{query.integer(0), query.integer(1)};
}

#define WEIR_FREEZE(index)                                                                       \
  "INSERT OR IGNORE INTO replay_items(replay, flow, pos, state) "                                \
  "SELECT ?1, d.flow, d.pos, 0 FROM deliveries d INDEXED BY " index                              \
  " AND d.state = 4 AND d.flow = ?2 AND d.pos > ?3 AND d.pos <= ?4 "                             \
  "AND d.set_aside = 0 AND d.changed_at >= ?6 AND d.changed_at < ?7 AND (?8 < 0 OR d.failure = " \
  "?8) "                                                                                         \
  "AND NOT EXISTS (SELECT 1 FROM replays r CROSS JOIN replay_items i ON i.replay = r.id "        \
  "WHERE r.state < 6 AND r.id <> ?1 AND i.flow = d.flow AND i.pos = d.pos)"

// By an index that has all that is asked for, and exactly the rows looked at: the rows themselves,
// and their neighbours of other groups and states, cost nothing. The unfinished replays are few,
// and come first: an index of items by delivery would cost more than all the rest.
constexpr const char* kFreezeByGroup = WEIR_FREEZE(
    "deliveries_by_group WHERE d.group_id <> 0 AND d.group_id = ?5");
constexpr const char* kFreezeByFlow = WEIR_FREEZE("deliveries_by_state WHERE ?5 = 0");
#undef WEIR_FREEZE

Result<std::int64_t> freeze_span(WriteSide& side, const Replay& replay, const Span& span,
                                 std::int64_t after, std::int64_t last) {
  const Selection& selection = replay.plan.selection;
  const std::int64_t since = selection.since ? to_micros(*selection.since)
                                             : std::numeric_limits<std::int64_t>::min();
  std::int64_t until = to_micros(replay.cutoff);
  if (selection.until) until = std::min(until, to_micros(*selection.until));
  const std::int64_t failure = selection.failure ? static_cast<std::int64_t>(*selection.failure)
                                                 : -1;
  WEIR_CHECK(side.db.run(span.group == 0 ? kFreezeByFlow : kFreezeByGroup, replay.id.value,
                         span.flow, after, last, span.group, since, until, failure));
  return side.db.changes();
}

}  // namespace

static_assert(static_cast<int>(DeliveryState::quarantined) == 4, "the number stands in SQL");
static_assert(static_cast<int>(ReplayState::aborted) == 6, "the number stands in SQL");
static_assert(static_cast<int>(ItemState::planned) == 0, "the number stands in SQL");

Result<> create_replay(WriteSide& side, const CreateReplay& mutation, Receipt& receipt) {
  WEIR_TRY(const std::int64_t last,
           side.db.integer("SELECT seq FROM sqlite_sequence WHERE name = 'replays'", 0));
  Replay replay = mutation.replay;
  replay.id = ReplayId{static_cast<std::uint32_t>(last + 1)};
  replay.state = ReplayState::planning;
  replay.counts.planned = 0;
  receipt.replay = replay.id;
  return write_replay(side, replay);
}

Result<> freeze_chunk(WriteSide& side, const FreezeChunk& mutation, Receipt& receipt) {
  WEIR_TRY(Replay replay, read_replay(side, mutation.replay));
  WEIR_TRY(const std::vector<Span> spans, spans_of(side, replay.plan.selection));
  receipt.freeze_next = mutation.after;
  std::int64_t left = mutation.limit;
  for (const Span& span : spans) {
    if (left == 0) break;
    if (span.flow < mutation.after.flow.value) continue;
    const bool begun = span.flow == mutation.after.flow.value;
    const std::int64_t after = begun ? mutation.after.position.pack() : -1;
    WEIR_TRY(const Looked looked, look(side, span, after, left));
    if (looked.rows == 0) continue;
    WEIR_TRY(const std::int64_t added, freeze_span(side, replay, span, after, looked.last_pos));
    left -= looked.rows;
    receipt.freeze_next = ref_of(span.flow, looked.last_pos);
    receipt.frozen += static_cast<std::uint32_t>(added);
    replay.counts.planned += static_cast<std::uint64_t>(added);
  }
  receipt.freeze_done = left > 0;
  return write_replay(side, replay);
}

Result<> add_replay_items(WriteSide& side, const AddReplayItems& mutation) {
  std::uint64_t added = 0;
  for (const DeliveryRef& ref : mutation.refs) {
    WEIR_CHECK(side.db.run(
        "INSERT OR IGNORE INTO replay_items(replay, flow, pos, state) SELECT ?1, ?2, ?3, 0 "
        "WHERE NOT EXISTS (SELECT 1 FROM replays r CROSS JOIN replay_items i ON i.replay = r.id "
        "WHERE r.state < 6 AND r.id <> ?1 AND i.flow = ?2 AND i.pos = ?3)",
        mutation.replay.value, ref.flow.value, ref.position.pack()));
    added += static_cast<std::uint64_t>(side.db.changes());
  }
  if (added == 0) return {};
  WEIR_TRY(Replay replay, read_replay(side, mutation.replay));
  replay.counts.planned += added;
  return write_replay(side, replay);
}

Result<> put_replay(WriteSide& side, const PutReplay& mutation) {
  WEIR_TRY(const Replay before, read_replay(side, mutation.replay.id));
  Replay replay = mutation.replay;
  replay.counts.planned = before.counts.planned;
  return write_replay(side, replay);
}

namespace {

// Flow by flow, through the primary key.
Result<bool> selects_from(WriteSide& side, std::int64_t replay, StreamId stream) {
  std::int64_t flow = -1;
  bool any = false;
  for (;;) {
    WEIR_TRY(flow, side.db.integer("SELECT flow FROM replay_items WHERE replay = ?1 AND flow > ?2 "
                                   "ORDER BY flow LIMIT 1",
                                   -1, replay, flow));
    if (flow < 0) return !any;
    any = true;
    WEIR_TRY(const std::int64_t found,
             side.db.integer("SELECT count(*) FROM (SELECT 1 FROM replay_items WHERE replay = ?1 "
                             "AND flow = ?2 AND pos >= ?3 AND pos < ?4 LIMIT 1)",
                             0, replay, flow, first_pos(stream), end_pos(stream)));
    if (found > 0) return true;
  }
}

}  // namespace

Result<> forget_selected(WriteSide& side, StreamId stream) {
  std::int64_t id = 0;
  for (;;) {
    WEIR_TRY(id, side.db.integer("SELECT id FROM replays WHERE id > ?1 AND state >= 6 ORDER BY id "
                                 "LIMIT 1",
                                 0, id));
    if (id == 0) return {};
    WEIR_TRY(const bool selects, selects_from(side, id, stream));
    if (!selects) continue;
    WEIR_TRY(Replay replay, read_replay(side, ReplayId{static_cast<std::uint32_t>(id)}));
    replay.plan.selection.forget_values();
    WEIR_CHECK(write_replay(side, replay));
  }
}

Result<> drop_replay(WriteSide& side, const DropReplay& mutation) {
  return side.db.run(
      "DELETE FROM replays WHERE id = ?1 "
      "AND NOT EXISTS (SELECT 1 FROM replay_items WHERE replay = ?1)",
      mutation.replay.value);
}

Result<> set_replay_item(WriteSide& side, const SetReplayItem& mutation) {
  return side.db.run(
      "UPDATE replay_items SET state = ?4 WHERE replay = ?1 AND flow = ?2 AND pos = ?3",
      mutation.replay.value, mutation.ref.flow.value, mutation.ref.position.pack(), mutation.state);
}

Result<bool> not_in_replay(WriteSide& side, const NotInReplay& condition) {
  WEIR_TRY(const auto replay, open_replay_of(side.db, condition.ref));
  return !replay.has_value();
}

}  // namespace weir::store::sqlite
