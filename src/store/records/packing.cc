// SPDX-License-Identifier: Apache-2.0
#include "store/records/packing.h"

#include "base/bytes.h"

namespace weir::store {
namespace {

// What a settlement's first byte says about the rest; a set bit saves a field.
enum : std::uint8_t { kNextSeq = 1, kSameStatus = 2, kFirstAttempt = 4 };

Error damaged(std::string_view what) {
  return Error{Code::store_corrupt, std::string(what) + " cannot be decoded",
               "run `weir store check`"};
}

void pack_one(ByteWriter& out, const Settlement& one, const Settlement& before) {
  std::uint8_t flags = 0;
  if (one.seq == before.seq + 1) flags |= kNextSeq;
  if (one.status == before.status) flags |= kSameStatus;
  if (one.attempt == 1) flags |= kFirstAttempt;
  out.u8(flags);
  if (!(flags & kNextSeq)) out.varint(one.seq - before.seq);
  if (!(flags & kSameStatus)) out.varint(one.status);
  if (!(flags & kFirstAttempt)) out.varint(one.attempt);
  out.varint(one.duration_us);
}

}  // namespace

std::string pack_settlements(std::span<const Settlement> settlements) {
  ByteWriter out;
  out.reserve(4 + settlements.size() * 4);
  out.varint(settlements.size());
  Settlement before;
  for (const Settlement& one : settlements) {
    pack_one(out, one, before);
    before = one;
  }
  return std::move(out).take();
}

Result<std::vector<Settlement>> unpack_settlements(std::string_view blob) {
  ByteReader in(blob);
  const std::uint64_t count = in.varint();
  if (count > blob.size()) return damaged("a settlement record");
  std::vector<Settlement> settlements;
  settlements.reserve(count);
  Settlement before;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint8_t flags = in.u8();
    Settlement one;
    one.seq = before.seq + ((flags & kNextSeq) ? 1 : in.varint());
    one.status = (flags & kSameStatus) ? before.status : in.varint_as<std::uint16_t>();
    one.attempt = (flags & kFirstAttempt) ? 1 : in.varint_as<std::uint32_t>();
    one.duration_us = in.varint_as<std::uint32_t>();
    if (one.seq <= before.seq || one.seq > kSeqMax) return damaged("a settlement record");
    settlements.push_back(one);
    before = one;
  }
  if (in.failed() || !in.at_end()) return damaged("a settlement record");
  return settlements;
}

std::string pack_cursor(const Cursor& cursor) {
  ByteWriter out;
  out.varint(cursor.floor);
  out.varint(cursor.mark - cursor.floor);
  out.varint(cursor.settled.size());
  std::uint64_t at = cursor.floor;
  for (const SeqRange& range : cursor.settled) {
    out.varint(range.first - at);
    out.varint(range.last - range.first);
    at = range.last;
  }
  return std::move(out).take();
}

Result<Cursor> unpack_cursor(std::string_view blob) {
  ByteReader in(blob);
  Cursor cursor;
  cursor.floor = in.varint();
  cursor.mark = cursor.floor + in.varint();
  const std::uint64_t count = in.varint();
  if (count > blob.size()) return damaged("a cursor");
  std::uint64_t at = cursor.floor;
  for (std::uint64_t i = 0; i < count; ++i) {
    SeqRange range;
    range.first = at + in.varint();
    range.last = range.first + in.varint();
    at = range.last;
    cursor.settled.push_back(range);
  }
  if (in.failed() || !in.at_end() || !is_valid(cursor)) return damaged("a cursor");
  return cursor;
}

bool is_valid(const Cursor& cursor) {
  std::uint64_t at = cursor.floor;
  for (const SeqRange& range : cursor.settled) {
    if (range.first < at || range.last <= range.first) return false;
    at = range.last;
  }
  return at <= kSeqMax + 1 && cursor.floor <= cursor.mark && cursor.mark <= kSeqMax + 1;
}

}  // namespace weir::store
