// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/seeded_bug.h"
#include "model/event.h"
#include "store/records/envelope.h"
#include "store/records/rows.h"
#include "store/sqlite/apply.h"
#include "store/sqlite/dedupe_segments.h"
#include "store/sqlite/keys.h"

namespace weir::store::sqlite {
namespace {

using namespace ports;

// Compares with the stored event itself. A place that holds nothing, something else or damage is no
// repetition: an event is stored twice rather than lost.
Result<std::optional<AppendResult>> compare(WriteSide& side, StreamState& stream, std::uint64_t seq,
                                            std::string_view added, WallTime now) {
  const Position position{stream.record.id, 0, seq};
  WEIR_TRY(Query query, side.db.query("SELECT record FROM events WHERE pos = ?1", position.pack()));
  WEIR_TRY(const bool row, query.next());
  if (!row) return std::optional<AppendResult>();
  const auto stored = side.keys.open_event(position, query.bytes(0));
  if (!stored.ok() || stored->recorded + stream.record.dedupe_window <= now)
    return std::optional<AppendResult>();
  const auto before = decode_event(stored->record);
  const auto event = decode_event(added);
  const bool same = before.ok() && event.ok() && before->id == event->id &&
                    before->source == event->source;
  if (!same) return std::optional<AppendResult>();
  const bool identical = same_content(*before, *event) || WEIR_SEEDED_BUG("dedupe.content_ignored");
  return std::optional(
      AppendResult{identical ? AppendStatus::duplicate : AppendStatus::conflict, seq, {}});
}

Result<std::optional<AppendResult>> find_repeated(WriteSide& side, StreamState& stream,
                                                  const NewEvent& added, WallTime now) {
  for (const std::uint64_t seq : stream.dedupe.find(added.dedupe_hash)) {
    WEIR_TRY(auto repeated, compare(side, stream, seq, added.record, now));
    if (repeated) return repeated;
  }
  return std::optional<AppendResult>();
}

Result<> insert_event(WriteSide& side, StreamState& stream, const NewEvent& added) {
  const std::uint64_t seq = stream.record.next_seq;
  const Position position{stream.record.id, 0, seq};
  WEIR_CHECK(side.keys.seal_event(position, {stream.last_recorded, added.dedupe_hash, added.record},
                                  side.buffer));
  WEIR_CHECK(
      side.db.run("INSERT INTO events(pos, record) VALUES(?1, ?2)", position.pack(), side.buffer));
  ++stream.record.next_seq;
  return remember(side, stream, added.dedupe_hash, seq);
}

}  // namespace

Result<> append_events(WriteSide& side, const AppendEvents& mutation, Receipt& receipt) {
  StreamState& stream = side.streams.at(mutation.stream);
  stream.last_recorded = std::max(stream.last_recorded,
                                  mutation.now);  // recorded times never decrease
  receipt.appended.reserve(receipt.appended.size() + mutation.events.size());
  for (const NewEvent& added : mutation.events) {
    WEIR_TRY(const auto repeated, find_repeated(side, stream, added, stream.last_recorded));
    if (repeated) {
      receipt.appended.push_back(*repeated);
      continue;
    }
    receipt.appended.push_back(
        {AppendStatus::stored, stream.record.next_seq, stream.last_recorded});
    WEIR_CHECK(insert_event(side, stream, added));
  }
  return {};
}

Result<> put_stream(WriteSide& side, const PutStream& mutation) {
  const StreamId id = mutation.stream.id;
  const auto [entry, added] = side.streams.try_emplace(id);
  StreamState& stream = entry->second;
  const StreamRecord before = std::exchange(stream.record, mutation.stream);
  stream.record.next_seq = added ? mutation.stream.next_seq : before.next_seq;
  stream.record.first_seq = added ? mutation.stream.next_seq : before.first_seq;
  stream.dedupe.set_limits({mutation.stream.dedupe_window, mutation.stream.dedupe_max_entries});
  const std::string record = seal(key_bytes({id.value}), encode_row(stream.record));
  return side.db.run(
      "INSERT INTO streams(id, next_seq, first_seq, record) VALUES(?1, ?2, ?3, ?4) "
      "ON CONFLICT(id) DO UPDATE SET next_seq = ?2, first_seq = ?3, record = ?4",
      id.value, stream.record.next_seq, stream.record.first_seq, record);
}

}  // namespace weir::store::sqlite
