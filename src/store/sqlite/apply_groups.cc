// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/seeded_bug.h"
#include "store/records/envelope.h"
#include "store/records/rows.h"
#include "store/sqlite/apply.h"
#include "store/sqlite/keys.h"

namespace weir::store::sqlite {
namespace {

using namespace ports;

Result<std::optional<Group>> group_of(WriteSide& side, Query& query) {
  WEIR_TRY(const bool row, query.next());
  if (!row) return std::optional<Group>();
  WEIR_TRY(const std::string_view payload,
           side.keys.unseal("groups", key_bytes({query.integer(0)}), query.bytes(1), "a group"));
  WEIR_TRY(Group group, decode_group(payload));
  return std::optional(std::move(group));
}

Result<Group> find_or_start_group(WriteSide& side, const JoinGroup& mutation) {
  {
    WEIR_TRY(Query query,
             side.db.query("SELECT id, record FROM groups WHERE hash = ?1 AND flow = ?2",
                           mutation.fingerprint.hash, mutation.flow.value));
    WEIR_TRY(auto found, group_of(side, query));
    if (found) return *std::move(found);
  }
  WEIR_TRY(const std::int64_t last,
           side.db.integer("SELECT seq FROM sqlite_sequence WHERE name = 'groups'", 0));
  return Group{.id = GroupId{static_cast<std::uint32_t>(last + 1)},
               .fingerprint = mutation.fingerprint,
               .flow = mutation.flow,
               .dependency = mutation.dependency,
               .failure = mutation.failure,
               .failure_mode = mutation.failure_mode,
               .first_at = mutation.at};
}

Result<std::optional<Group>> find_group(WriteSide& side, GroupId id) {
  WEIR_TRY(Query query, side.db.query("SELECT id, record FROM groups WHERE id = ?1", id.value));
  return group_of(side, query);
}

Result<> write_group(WriteSide& side, const Group& group) {
  WEIR_TRY(const std::string record,
           side.keys.seal("groups", group.sample.stream, key_bytes({group.id.value}),
                          encode_row(group)));
  return side.db.run(
      "INSERT INTO groups(id, flow, hash, open, last_at, record) VALUES(?1, ?2, ?3, ?4, ?5, ?6) "
      "ON CONFLICT(id) DO UPDATE SET open = ?4, last_at = ?5, record = ?6",
      group.id.value, group.flow.value, group.fingerprint.hash, group.open,
      to_micros(group.last_at), record);
}

}  // namespace

Result<> join_group(WriteSide& side, const JoinGroup& mutation, Receipt& receipt) {
  WEIR_TRY(Group group, find_or_start_group(side, mutation));
  ++group.open;
  ++group.total;
  group.last_at = std::max(group.last_at, mutation.at);
  group.sample = mutation.ref.position;
  WEIR_CHECK(write_group(side, group));
  receipt.groups.push_back(group.id);
  return side.db.run("UPDATE deliveries SET group_id = ?3 WHERE flow = ?1 AND pos = ?2",
                     mutation.ref.flow.value, mutation.ref.position.pack(), group.id.value);
}

Result<> leave_group(WriteSide& side, const LeaveGroup& mutation) {
  WEIR_TRY(std::optional<Group> group, find_group(side, mutation.group));
  if (!group || group->open == 0) return {};
  const std::uint64_t left = WEIR_SEEDED_BUG("groups.one_leaves_for_all") ? 1 : mutation.count;
  group->open -= std::min(group->open, left);
  return write_group(side, *group);
}

Result<> annotate_group(WriteSide& side, const AnnotateGroup& mutation) {
  WEIR_TRY(std::optional<Group> group, find_group(side, mutation.group));
  if (!group) return {};
  group->notes = mutation.notes;
  return write_group(side, *group);
}

Result<bool> notes_are(WriteSide& side, const GroupNotesAre& condition) {
  WEIR_TRY(const std::optional<Group> group, find_group(side, condition.group));
  return group && group->notes == condition.notes;
}

}  // namespace weir::store::sqlite
