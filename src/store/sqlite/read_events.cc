// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "model/event.h"
#include "store/records/envelope.h"
#include "store/records/read_limits.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/read_side.h"

namespace weir::store::sqlite {
namespace {

Result<StoredEvent> stored_event(ReadSide& side, Position position, std::string_view sealed) {
  WEIR_TRY(const Envelope envelope, side.keys.open_event(position, sealed));
  return StoredEvent{position, envelope.recorded, std::string(envelope.record)};
}

Result<std::uint64_t> first_seq_of(Connection& db, StreamId stream) {
  WEIR_TRY(const std::int64_t first,
           db.integer("SELECT first_seq FROM streams WHERE id = ?1", 0, stream.value));
  if (first == 0) return Error{Code::unknown_stream, fmt::format("stream {}", stream.value), ""};
  return static_cast<std::uint64_t>(first);
}

// Rows of (pos, record) up to the bounds. Damage ends the list, unless it is at its beginning.
Result<std::vector<StoredEvent>> collect(ReadSide& side, Query& query, std::size_t max_events,
                                         std::size_t max_bytes) {
  std::vector<StoredEvent> events;
  std::size_t bytes = 0;
  while (events.size() < max_events) {
    WEIR_TRY(const bool row, query.next());
    if (!row) break;
    const std::string_view sealed = query.bytes(1);
    const bool is_plain = form_of(sealed) == Form::plain;
    const std::size_t around = kEnvelopeBytes + (is_plain ? 0 : kEventCipherBytes);
    bytes += sealed.size() - std::min(sealed.size(), around);
    if (!events.empty() && bytes > max_bytes) break;
    auto event = stored_event(side, Position::unpack(query.integer(0)), sealed);
    if (!event.ok() && !events.empty()) break;
    if (!event.ok()) return std::move(event).error();
    events.push_back(*std::move(event));
  }
  return events;
}

// Recorded time of the first event at or after pos; nullopt at the end.
Result<std::optional<std::pair<std::uint64_t, WallTime>>> recorded_at(Connection& db,
                                                                      std::int64_t pos,
                                                                      std::int64_t end) {
  using Found = std::optional<std::pair<std::uint64_t, WallTime>>;
  WEIR_TRY(
      Query query,
      db.query("SELECT pos, record FROM events WHERE pos >= ?1 AND pos < ?2 ORDER BY pos LIMIT 1",
               pos, end));
  WEIR_TRY(const bool row, query.next());
  if (!row) return Found();
  const Position position = Position::unpack(query.integer(0));
  WEIR_TRY(const Envelope envelope, open_event(position, query.bytes(1)));
  return Found(std::pair(position.seq, envelope.recorded));
}

Result<> scan_newest(ReadSide& side, StreamId stream, const std::string& id, std::size_t scan,
                     std::set<Position>& found) {
  WEIR_TRY(
      Query query,
      side.db.query(
          "SELECT pos, record FROM events WHERE pos >= ?1 AND pos < ?2 ORDER BY pos DESC LIMIT ?3",
          first_pos(stream), end_pos(stream), scan));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return {};
    const Position position = Position::unpack(query.integer(0));
    const auto envelope = side.keys.open_event(position, query.bytes(1));
    if (!envelope.ok()) continue;
    const auto event = decode_event(envelope->record);
    if (event.ok() && event->id == id) found.insert(position);
  }
}

}  // namespace

Result<std::vector<StoredEvent>> read_events(ReadSide& side, StreamId stream, std::uint64_t first,
                                             std::size_t max_events, std::size_t max_bytes) {
  WEIR_TRY(const std::uint64_t first_seq, first_seq_of(side.db, stream));
  WEIR_TRY(Query query,
           side.db.query("SELECT pos, record FROM events WHERE pos >= ?1 AND pos < ?2 ORDER BY pos",
                         pos_of(stream, std::min(std::max(first, first_seq), kSeqMax)),
                         end_pos(stream)));
  return collect(side, query, std::min(max_events, kReadEventsMax), max_bytes);
}

Result<std::vector<StoredEvent>> fetch_events(ReadSide& side,
                                              const std::vector<DeliveryRef>& refs) {
  std::vector<StoredEvent> events;
  for (const DeliveryRef ref : refs) {
    WEIR_TRY(Query query,
             side.db.query("SELECT record FROM events WHERE pos = ?2 UNION ALL "
                           "SELECT record FROM kept_events WHERE flow = ?1 AND pos = ?2 LIMIT 1",
                           ref.flow.value, ref.position.pack()));
    WEIR_TRY(const bool row, query.next());
    if (!row) continue;
    WEIR_TRY(StoredEvent event, stored_event(side, ref.position, query.bytes(0)));
    events.push_back(std::move(event));
  }
  return events;
}

Result<std::vector<StoredEvent>> read_kept(ReadSide& side, FlowId flow, Position first,
                                           std::size_t max_events) {
  WEIR_TRY(Query query,
           side.db.query(
               "SELECT pos, record FROM kept_events WHERE flow = ?1 AND pos >= ?2 ORDER BY pos",
               flow.value, first.pack()));
  return collect(side, query, std::min(max_events, kReadEventsMax), ~std::size_t{0});
}

Result<std::vector<Position>> find_id(ReadSide& side, const std::string& id, std::size_t scan) {
  std::set<Position> found;
  WEIR_TRY(const std::string column, side.keys.column(id));
  {
    WEIR_TRY(
        Query query,
        side.db.query("SELECT DISTINCT pos FROM deliveries WHERE event_id IN (?1, ?3) ORDER BY pos "
                      "LIMIT ?2",
                      id, kFoundMax, column));
    for (;;) {
      WEIR_TRY(const bool row, query.next());
      if (!row) break;
      found.insert(Position::unpack(query.integer(0)));
    }
  }
  std::vector<StreamId> streams;
  {
    WEIR_TRY(Query query, side.db.query("SELECT id FROM streams"));
    for (;;) {
      WEIR_TRY(const bool row, query.next());
      if (!row) break;
      streams.push_back(StreamId{static_cast<std::uint32_t>(query.integer(0))});
    }
  }
  for (const StreamId stream : streams) WEIR_CHECK(scan_newest(side, stream, id, scan, found));
  std::vector<Position> places(found.begin(), found.end());
  places.resize(std::min(places.size(), kFoundMax));
  return places;
}

Result<std::uint64_t> seek(Connection& db, StreamId stream, WallTime time) {
  WEIR_TRY(std::uint64_t low, first_seq_of(db, stream));
  const std::int64_t end = end_pos(stream);
  WEIR_TRY(const std::int64_t next,
           db.integer("SELECT next_seq FROM streams WHERE id = ?1", 1, stream.value));
  WEIR_TRY(
      const std::int64_t last,
      db.integer("SELECT pos FROM events WHERE pos >= ?1 AND pos < ?2 ORDER BY pos DESC LIMIT 1", 0,
                 first_pos(stream), end));
  std::uint64_t high = std::max(static_cast<std::uint64_t>(next),
                                last == 0 ? 0 : Position::unpack(last).seq + 1);
  while (low < high) {  // the answer lies in [low, high]
    const std::uint64_t middle = low + (high - low) / 2;
    WEIR_TRY(const auto found, recorded_at(db, pos_of(stream, middle), end));
    const bool before = found && found->second < time;
    if (before) {
      low = found->first + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

Result<std::optional<Position>> event_at(ReadSide& side, Position position,
                                         const std::string& source, const std::string& id) {
  WEIR_TRY(Query query, side.db.query("SELECT record FROM events WHERE pos = ?1", position.pack()));
  WEIR_TRY(const bool row, query.next());
  if (!row) return std::optional<Position>();
  const auto envelope = side.keys.open_event(position, query.bytes(0));
  if (!envelope.ok()) return std::optional<Position>();
  const auto event = decode_event(envelope->record);
  const bool same = event.ok() && event->source == source && event->id == id;
  return same ? std::optional(position) : std::optional<Position>();
}

}  // namespace weir::store::sqlite
