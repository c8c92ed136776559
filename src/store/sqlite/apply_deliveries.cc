// SPDX-License-Identifier: Apache-2.0
#include "store/records/envelope.h"
#include "store/records/rows.h"
#include "store/sqlite/apply.h"
#include "store/sqlite/keys.h"

namespace weir::store::sqlite {

using namespace ports;

namespace {

// By the column as it is; a hold from before encryption has its key in clear.
Result<> drop_hold_row(WriteSide& side, FlowId flow, const std::string& key) {
  return side.db.run("DELETE FROM holds WHERE flow = ?1 AND key = ?2", flow.value, key);
}

}  // namespace

Result<> put_delivery(WriteSide& side, const PutDelivery& mutation) {
  const Delivery& row = mutation.delivery;
  WEIR_TRY(const std::string record,
           side.keys.seal("deliveries", row.ref.position.stream, key_of(row.ref), encode_row(row)));
  WEIR_TRY(const std::string key, side.keys.column(row.key));
  WEIR_TRY(const std::string event_id, side.keys.column(row.event_id));
  // Nearly always the row is there, and then its event and key are what they were: an index whose
  // columns are not named is not touched.
  WEIR_CHECK(side.db.run(
      "UPDATE deliveries SET state = ?3, failure = ?4, group_id = ?5, changed_at = ?6, due = ?7, "
      "deadline = ?8, set_aside = ?9, replay = ?10, interruptions = ?11, record = ?14 "
      "WHERE flow = ?1 AND pos = ?2 AND key = ?12 AND event_id = ?13",
      row.ref.flow.value, row.ref.position.pack(), row.state, row.failure, row.group.value,
      to_micros(row.changed_at), to_micros(row.due), to_micros(row.deadline), row.is_set_aside(),
      row.replay.value, row.interruptions, key, event_id, record));
  if (side.db.changes() > 0) return {};
  return side.db.run(
      "INSERT INTO deliveries(flow, pos, state, failure, group_id, changed_at, due, deadline, "
      "set_aside, replay, interruptions, key, event_id, record) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) "
      "ON CONFLICT(flow, pos) DO UPDATE SET state = ?3, failure = ?4, group_id = ?5, "
      "changed_at = ?6, due = ?7, deadline = ?8, set_aside = ?9, replay = ?10, interruptions = "
      "?11, "
      "key = ?12, event_id = ?13, record = ?14",
      row.ref.flow.value, row.ref.position.pack(), row.state, row.failure, row.group.value,
      to_micros(row.changed_at), to_micros(row.due), to_micros(row.deadline), row.is_set_aside(),
      row.replay.value, row.interruptions, key, event_id, record);
}

Result<> keep_event(WriteSide& side, DeliveryRef ref) {
  // The copy stays sealed as it is: its checksum is bound to the position, not to the table.
  return side.db.run(
      "INSERT OR IGNORE INTO kept_events(flow, pos, record) SELECT ?1, pos, record FROM events "
      "WHERE pos = ?2",
      ref.flow.value, ref.position.pack());
}

Result<> drop_kept_event(WriteSide& side, DeliveryRef ref) {
  return side.db.run("DELETE FROM kept_events WHERE flow = ?1 AND pos = ?2", ref.flow.value,
                     ref.position.pack());
}

Result<> put_revision(WriteSide& side, const PutRevision& mutation) {
  const Revision& revision = mutation.revision;
  const DeliveryRef ref = revision.ref;
  WEIR_TRY(const std::string record,
           side.keys.seal("revisions", ref.position.stream, revision_key(ref, revision.number),
                          encode_row(revision)));
  return side.db.run("INSERT INTO revisions(flow, pos, number, record) VALUES(?1, ?2, ?3, ?4)",
                     ref.flow.value, ref.position.pack(), revision.number, record);
}

Result<> put_hold(WriteSide& side, const PutHold& mutation) {
  const Hold& hold = mutation.hold;
  WEIR_TRY(const std::string key, side.keys.column(hold.key));
  WEIR_TRY(const std::string record,
           side.keys.seal("holds", hold.holder.stream, key_bytes({hold.flow.value}) + key,
                          encode_row(hold)));
  if (key != hold.key) WEIR_CHECK(drop_hold_row(side, hold.flow, hold.key));
  return side.db.run(
      "INSERT INTO holds(flow, key, count, record) VALUES(?1, ?2, ?3, ?4) "
      "ON CONFLICT(flow, key) DO UPDATE SET count = ?3, record = ?4",
      hold.flow.value, key, hold.count, record);
}

Result<> drop_hold(WriteSide& side, const DropHold& mutation) {
  WEIR_TRY(const std::string key, side.keys.column(mutation.key));
  if (key != mutation.key) WEIR_CHECK(drop_hold_row(side, mutation.flow, mutation.key));
  return drop_hold_row(side, mutation.flow, key);
}

}  // namespace weir::store::sqlite
