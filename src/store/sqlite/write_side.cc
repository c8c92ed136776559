// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/write_side.h"

#include <algorithm>

#include "store/records/envelope.h"
#include "store/records/rows.h"
#include "store/sqlite/dedupe_segments.h"
#include "store/sqlite/keys.h"

namespace weir::store::sqlite {
namespace {

// What is left in the log can be newer than the persisted next_seq, which is written only when
// events are removed.
Result<> find_end(WriteSide& side, StreamState& stream) {
  const StreamId id = stream.record.id;
  WEIR_TRY(Query query, side.db.query("SELECT pos, record FROM events WHERE pos >= ?1 AND pos < ?2 "
                                      "ORDER BY pos DESC LIMIT 1",
                                      first_pos(id), end_pos(id)));
  WEIR_TRY(const bool row, query.next());
  if (!row) return {};
  const Position last = Position::unpack(query.integer(0));
  const auto event = open_event(last, query.bytes(1));
  if (event.ok()) stream.last_recorded = std::max(stream.last_recorded, event->recorded);
  stream.record.next_seq = std::max(stream.record.next_seq, last.seq + 1);
  return {};
}

Result<> load_stream(WriteSide& side, StreamState& stream, bool keep_dedupe) {
  WEIR_CHECK(find_end(side, stream));
  stream.dedupe.set_limits({stream.record.dedupe_window, stream.record.dedupe_max_entries});
  if (keep_dedupe) {
    stream.dedupe.rewind(stream.record.next_seq);
  } else {
    WEIR_CHECK(load_segments(side, stream));
  }
  return load_tail(side, stream, !keep_dedupe);
}

Result<> load_streams(WriteSide& side, bool keep_dedupe) {
  std::map<StreamId, StreamState> before = std::exchange(side.streams, {});
  {
    WEIR_TRY(Query query, side.db.query("SELECT id, next_seq, first_seq, record FROM streams"));
    for (;;) {
      WEIR_TRY(const bool row, query.next());
      if (!row) break;
      WEIR_TRY(const std::string_view payload,
               unseal(key_bytes({query.integer(0)}), query.bytes(3), "a stream"));
      WEIR_TRY(StreamRecord record, decode_stream(payload));
      record.next_seq = static_cast<std::uint64_t>(query.integer(1));
      record.first_seq = static_cast<std::uint64_t>(query.integer(2));
      side.streams[record.id].record = std::move(record);
    }
  }
  for (auto& [id, stream] : side.streams) {
    const auto old = keep_dedupe ? before.find(id) : before.end();
    if (old != before.end()) {
      stream.dedupe = std::move(old->second.dedupe);
      stream.last_recorded = old->second.last_recorded;
    }
    WEIR_CHECK(load_stream(side, stream, keep_dedupe));
  }
  return {};
}

}  // namespace

Result<> load(WriteSide& side, bool keep_dedupe) {
  side.keys.forget();
  side.log_must_go = false;
  WEIR_CHECK(load_streams(side, keep_dedupe));
  side.flows.clear();
  side.audit_head.reset();
  WEIR_TRY(Query query, side.db.query("SELECT id FROM flows"));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return {};
    side.flows.insert(FlowId{static_cast<std::uint32_t>(query.integer(0))});
  }
}

}  // namespace weir::store::sqlite
