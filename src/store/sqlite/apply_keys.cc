// SPDX-License-Identifier: Apache-2.0
// Rotation of data keys, and their destruction.
#include "store/sqlite/apply.h"
#include "store/sqlite/keys.h"

namespace weir::store::sqlite {

using namespace ports;

namespace {

Result<> drop_rows(WriteSide& side, StreamId stream) {
  const std::int64_t first = first_pos(stream);
  const std::int64_t end = end_pos(stream);
  WEIR_CHECK(side.db.run("DELETE FROM deliveries WHERE pos >= ?1 AND pos < ?2", first, end));
  WEIR_CHECK(side.db.run("DELETE FROM kept_events WHERE pos >= ?1 AND pos < ?2", first, end));
  WEIR_CHECK(side.db.run("DELETE FROM revisions WHERE pos >= ?1 AND pos < ?2", first, end));
  WEIR_CHECK(side.db.run("DELETE FROM effects WHERE pos >= ?1 AND pos < ?2", first, end));
  WEIR_CHECK(side.db.run("DELETE FROM dedupe WHERE pos >= ?1 AND pos < ?2", first, end));
  WEIR_CHECK(forget_selected(side, stream));
  WEIR_CHECK(side.db.run("DELETE FROM holds WHERE flow IN (SELECT id FROM flows WHERE stream = ?1)",
                         stream.value));
  return side.db.run("DELETE FROM groups WHERE flow IN (SELECT id FROM flows WHERE stream = ?1)",
                     stream.value);
}

}  // namespace

Result<> rotate_keys(WriteSide& side, Receipt& receipt) {
  WEIR_TRY(receipt.keys, side.keys.rotate());
  side.log_must_go = true;  // and with it what the old master key opened
  return {};
}

Result<> shred_stream(WriteSide& side, const ShredStream& mutation, Receipt& receipt) {
  const StreamId stream = mutation.stream;
  WEIR_TRY(receipt.keys, side.keys.destroy(stream));
  side.log_must_go = true;
  StreamState& state = side.streams.at(stream);
  receipt.shredded_before = state.erase_before = state.record.next_seq;
  // What was written before the store was encrypted is overwritten, not only unlinked.
  return erasing(side.db, [&] { return drop_rows(side, stream); });
}

}  // namespace weir::store::sqlite
