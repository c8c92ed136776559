// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/seeded_bug.h"
#include "store/sqlite/apply.h"
#include "store/sqlite/keys.h"

namespace weir::store::sqlite {
namespace {

using namespace ports;

constexpr int kFirstSettled = static_cast<int>(DeliveryState::done);
constexpr int kLastState = static_cast<int>(DeliveryState::discarded);
static_assert(kFirstSettled == 5, "the number stands in SQL");

// Flows that have rows, found by jumping through the primary key.
Result<std::vector<std::int64_t>> flows_with_rows(WriteSide& side) {
  std::vector<std::int64_t> flows;
  std::int64_t flow = -1;
  for (;;) {
    WEIR_TRY(flow,
             side.db.integer("SELECT flow FROM deliveries WHERE flow > ?1 ORDER BY flow LIMIT 1",
                             -1, flow));
    if (flow < 0) return flows;
    flows.push_back(flow);
  }
}

Result<> keep_for_open_rows(WriteSide& side, std::int64_t flow, std::int64_t first,
                            std::int64_t end) {
  return side.db.run(
      "INSERT OR IGNORE INTO kept_events(flow, pos, record) SELECT d.flow, d.pos, e.record FROM "
      "deliveries d "
      "JOIN events e ON e.pos = d.pos WHERE d.flow = ?1 AND d.pos >= ?2 AND d.pos < ?3 AND "
      "+d.state < 5",
      flow, first + WEIR_SEEDED_BUG("retention.first_open_lost"), end);
}

// By state first: the index gives settled rows alone, however many open ones are older.
Result<> drop_settled_rows(WriteSide& side, std::int64_t flow, std::int64_t first,
                           std::int64_t end) {
  for (int state = kFirstSettled; state <= kLastState; ++state) {
    WEIR_CHECK(
        side.db.run("DELETE FROM kept_events WHERE flow = ?1 AND pos IN (SELECT pos FROM "
                    "deliveries INDEXED BY deliveries_by_state "
                    "WHERE state = ?4 AND flow = ?1 AND pos >= ?2 AND pos < ?3)",
                    flow, first, end, state));
    WEIR_CHECK(
        side.db.run("DELETE FROM revisions WHERE flow = ?1 AND pos IN (SELECT pos FROM "
                    "deliveries INDEXED BY deliveries_by_state "
                    "WHERE state = ?4 AND flow = ?1 AND pos >= ?2 AND pos < ?3)",
                    flow, first, end, state));
    WEIR_CHECK(
        side.db.run("DELETE FROM deliveries INDEXED BY deliveries_by_state "
                    "WHERE state = ?4 AND flow = ?1 AND pos >= ?2 AND pos < ?3",
                    flow, first, end, state));
  }
  return {};
}

// The last trace of what is erased goes with the log.
Result<> delete_events(WriteSide& side, std::int64_t first, std::int64_t end, bool erase) {
  const auto remove = [&] {
    return side.db.run("DELETE FROM events WHERE pos >= ?1 AND pos < ?2", first, end);
  };
  if (!erase) return remove();
  side.log_must_go = true;
  return erasing(side.db, remove);
}

}  // namespace

Result<> trim_stream(WriteSide& side, const TrimStream& mutation) {
  StreamRecord& stream = side.streams.at(mutation.stream).record;
  const std::uint64_t before = std::min(mutation.before, stream.next_seq);
  if (before <= stream.first_seq) return {};
  const std::int64_t first = pos_of(stream.id, stream.first_seq);
  const std::int64_t end = pos_of(stream.id, before);
  for (const DeliveryRef ref : mutation.keep) {
    const std::int64_t pos = ref.position.pack();
    if (pos >= first && pos < end) WEIR_CHECK(keep_event(side, ref));
  }
  WEIR_TRY(const std::vector<std::int64_t> flows, flows_with_rows(side));
  for (const std::int64_t flow : flows) {
    WEIR_CHECK(keep_for_open_rows(side, flow, first, end));
    WEIR_CHECK(drop_settled_rows(side, flow, first_pos(stream.id), end));
  }
  WEIR_CHECK(
      delete_events(side, first, end, stream.first_seq < side.streams.at(stream.id).erase_before));
  WEIR_CHECK(
      side.db.run("DELETE FROM settlements WHERE flow IN (SELECT id FROM flows WHERE stream = ?1) "
                  "AND min_seq < ?2 AND max_seq < ?2",
                  stream.id.value, before));
  stream.first_seq = before;
  return side.db.run("UPDATE streams SET next_seq = ?2, first_seq = ?3 WHERE id = ?1",
                     stream.id.value, stream.next_seq, stream.first_seq);
}

}  // namespace weir::store::sqlite
