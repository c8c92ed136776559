// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/dedupe_segments.h"

#include <algorithm>

#include "base/bytes.h"
#include "store/records/envelope.h"
#include "store/sqlite/keys.h"

namespace weir::store::sqlite {
namespace {

constexpr std::size_t kFragmentBytes = 5;

std::string encode_segment(const StreamState& stream) {
  ByteWriter out;
  out.reserve(20 + stream.tail.size() * kFragmentBytes);
  out.u64(static_cast<std::uint64_t>(to_micros(stream.tail_first_at)));
  out.u64(static_cast<std::uint64_t>(to_micros(stream.last_recorded)));
  for (const std::uint64_t hash : stream.tail) {
    const std::uint64_t fragment = DedupeTable::fragment(hash);
    for (std::size_t i = 0; i < kFragmentBytes; ++i)
      out.u8(static_cast<std::uint8_t>(fragment >> (8 * i)));
  }
  return std::move(out).take();
}

std::uint64_t read_fragment(const char* at) {
  std::uint64_t fragment = 0;
  for (std::size_t i = 0; i < kFragmentBytes; ++i) {
    fragment |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(at[i])) << (8 * i);
  }
  return fragment;
}

// Times within a segment are known by its ends only; the later one never forgets too early.
void add_segment(StreamState& stream, std::uint64_t first_seq, std::string_view payload) {
  ByteReader in(payload);
  [[maybe_unused]] const std::uint64_t first_at = in.u64();
  const WallTime last_at = from_micros(static_cast<std::int64_t>(in.u64()));
  const std::string_view fragments = in.rest();
  const std::size_t count = fragments.size() / kFragmentBytes;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t fragment = read_fragment(fragments.data() + i * kFragmentBytes);
    stream.dedupe.add(DedupeTable::from_fragment(fragment), first_seq + i, last_at);
  }
}

Result<> write_segment(WriteSide& side, StreamState& stream) {
  const StreamId id = stream.record.id;
  const std::int64_t pos = pos_of(id, stream.record.next_seq - stream.tail.size());
  const std::string record = seal(key_bytes({pos}), encode_segment(stream));
  WEIR_CHECK(side.db.run("INSERT OR REPLACE INTO dedupe(pos, record) VALUES(?1, ?2)", pos, record));
  stream.tail.clear();
  const std::uint64_t oldest = stream.dedupe.oldest_seq();
  if (oldest <= kSegmentEntries) return {};
  return side.db.run("DELETE FROM dedupe WHERE pos >= ?1 AND pos < ?2", first_pos(id),
                     pos_of(id, oldest - kSegmentEntries));
}

// The seq after the last segment that still has an event. A tail is shorter than a segment, except
// after a time without dedupe, whose events are not remembered.
Result<std::uint64_t> tail_start(WriteSide& side, const StreamState& stream) {
  const StreamId id = stream.record.id;
  WEIR_TRY(const std::int64_t last,
           side.db.integer(
               "SELECT pos FROM dedupe WHERE pos >= ?1 AND pos < ?2 ORDER BY pos DESC LIMIT 1", 0,
               first_pos(id), end_pos(id)));
  const std::uint64_t after = last == 0 ? 1 : Position::unpack(last).seq + kSegmentEntries;
  const std::uint64_t next = stream.record.next_seq;
  const std::uint64_t shortest = next < kSegmentEntries ? 1 : next - kSegmentEntries + 1;
  return std::max({after, shortest, stream.record.first_seq});
}

}  // namespace

Result<> remember(WriteSide& side, StreamState& stream, std::uint64_t hash, std::uint64_t seq) {
  stream.dedupe.add(hash, seq, stream.last_recorded);
  if (stream.record.dedupe_max_entries == 0) return {};
  if (stream.tail.empty()) stream.tail_first_at = stream.last_recorded;
  stream.tail.push_back(hash);
  return stream.tail.size() < kSegmentEntries ? Result<>() : write_segment(side, stream);
}

Result<> load_segments(WriteSide& side, StreamState& stream) {
  const StreamId id = stream.record.id;
  const std::uint64_t max = stream.record.dedupe_max_entries + kSegmentEntries;
  const std::uint64_t first = stream.record.next_seq > max ? stream.record.next_seq - max : 0;
  WEIR_TRY(Query query,
           side.db.query("SELECT pos, record FROM dedupe WHERE pos >= ?1 AND pos < ?2 ORDER BY pos",
                         pos_of(id, first), end_pos(id)));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return {};
    const std::int64_t pos = query.integer(0);
    const auto payload = unseal(key_bytes({pos}), query.bytes(1), "a dedupe segment");
    if (payload.ok()) add_segment(stream, Position::unpack(pos).seq, *payload);
  }
}

Result<> load_tail(WriteSide& side, StreamState& stream, bool into_table) {
  const StreamId id = stream.record.id;
  stream.tail.clear();
  if (stream.record.dedupe_max_entries == 0) return {};
  WEIR_TRY(const std::uint64_t first, tail_start(side, stream));
  WEIR_TRY(Query query,
           side.db.query("SELECT pos, record FROM events WHERE pos >= ?1 AND pos < ?2 ORDER BY pos",
                         pos_of(id, first), end_pos(id)));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return {};
    const Position position = Position::unpack(query.integer(0));
    const auto event = open_event(position, query.bytes(1));
    const std::uint64_t hash = event.ok() ? event->dedupe_hash : 0;
    if (event.ok() && into_table) stream.dedupe.add(hash, position.seq, event->recorded);
    if (stream.tail.empty() && event.ok()) stream.tail_first_at = event->recorded;
    stream.tail.push_back(hash);
  }
}

}  // namespace weir::store::sqlite
