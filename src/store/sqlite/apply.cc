// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/apply.h"

#include "base/seeded_bug.h"
#include "store/records/batch_check.h"

namespace weir::store::sqlite {
namespace {

using namespace ports;

class Present final : public Existing {
 public:
  explicit Present(WriteSide& side) : side_(side) {}
  Result<bool> stream(StreamId id) override { return side_.streams.contains(id); }
  Result<bool> flow(FlowId id) override { return side_.flows.contains(id); }
  Result<bool> replay(ReplayId id) override {
    return found(side_.db.integer("SELECT 1 FROM replays WHERE id = ?1", 0, id.value));
  }
  Result<bool> delivery(DeliveryRef ref) override {
    return found(side_.db.integer("SELECT 1 FROM deliveries WHERE flow = ?1 AND pos = ?2", 0,
                                  ref.flow.value, ref.position.pack()));
  }
  Result<std::uint32_t> newest_revision(DeliveryRef ref) override {
    WEIR_TRY(const std::int64_t number,
             side_.db.integer("SELECT number FROM revisions WHERE flow = ?1 AND pos = ?2 "
                              "ORDER BY number DESC LIMIT 1",
                              kFirstRevision, ref.flow.value, ref.position.pack()));
    return static_cast<std::uint32_t>(number);
  }

 private:
  static Result<bool> found(Result<std::int64_t> answer) {
    if (!answer.ok()) return std::move(answer).error();
    return *answer == 1;
  }
  WriteSide& side_;
};

// Whether a precondition holds now, with the earlier batches of the transaction applied.
struct Holds {
  WriteSide& side;
  Connection& db = side.db;

  Result<bool> operator()(const DeliveryIs& p) const {
    return equal(db.integer("SELECT state FROM deliveries WHERE flow = ?1 AND pos = ?2 "
                            "AND (?3 = 0 OR changed_at = ?3)",
                            -1, p.ref.flow.value, p.ref.position.pack(), to_micros(p.changed_at)),
                 static_cast<std::int64_t>(p.state));
  }
  Result<bool> operator()(const DeliveryAbsent& p) const {
    return equal(db.integer("SELECT count(*) FROM deliveries WHERE flow = ?1 AND pos = ?2", 0,
                            p.ref.flow.value, p.ref.position.pack()),
                 0);
  }
  Result<bool> operator()(const EventStored& p) const {
    return equal(db.integer("SELECT count(*) FROM events WHERE pos = ?1", 0, p.position.pack()), 1);
  }
  Result<bool> operator()(const ReplayIs& p) const {
    return equal(db.integer("SELECT state FROM replays WHERE id = ?1", -1, p.replay.value),
                 static_cast<std::int64_t>(p.state));
  }
  Result<bool> operator()(const ReplayItemIs& p) const {
    if (WEIR_SEEDED_BUG("replay.item_claimed_twice")) return true;
    return equal(
        db.integer("SELECT state FROM replay_items WHERE replay = ?1 AND flow = ?2 AND pos = ?3",
                   -1, p.replay.value, p.ref.flow.value, p.ref.position.pack()),
        static_cast<std::int64_t>(p.state));
  }
  Result<bool> operator()(const FlowEpochIs& p) const {
    if (WEIR_SEEDED_BUG("store.fence_removed")) return true;
    return equal(db.integer("SELECT epoch FROM flows WHERE id = ?1", -1, p.flow.value),
                 static_cast<std::int64_t>(p.epoch));
  }

  Result<bool> operator()(const GroupNotesAre& p) const { return notes_are(side, p); }
  Result<bool> operator()(const NotInReplay& p) const { return not_in_replay(side, p); }
  Result<bool> operator()(const EffectIs& p) const { return effect_is(side, p); }
  Result<bool> operator()(const ApprovalIs& p) const {
    return equal(db.integer("SELECT version FROM approvals WHERE id = ?1", 0, p.approval.value),
                 static_cast<std::int64_t>(p.version));
  }

  static Result<bool> equal(Result<std::int64_t> answer, std::int64_t wanted) {
    if (!answer.ok()) return std::move(answer).error();
    return *answer == wanted;
  }
};

struct Apply {
  WriteSide& side;
  Receipt& receipt;

  Result<> operator()(const AppendEvents& m) { return append_events(side, m, receipt); }
  Result<> operator()(const PutStream& m) { return put_stream(side, m); }
  Result<> operator()(const PutFlow& m) { return put_flow(side, m); }
  Result<> operator()(const SetFlowStatus& m) { return set_flow_status(side, m); }
  Result<> operator()(const PutCursor& m) { return put_cursor(side, m); }
  Result<> operator()(const AddSettlements& m) { return add_settlements(side, m); }
  Result<> operator()(const RemoveFlow& m) { return remove_flow(side, m); }
  Result<> operator()(const PutDelivery& m) { return put_delivery(side, m); }
  Result<> operator()(const KeepEvent& m) { return keep_event(side, m.ref); }
  Result<> operator()(const DropKeptEvent& m) { return drop_kept_event(side, m.ref); }
  Result<> operator()(const PutRevision& m) { return put_revision(side, m); }
  Result<> operator()(const PutHold& m) { return put_hold(side, m); }
  Result<> operator()(const DropHold& m) { return drop_hold(side, m); }
  Result<> operator()(const JoinGroup& m) { return join_group(side, m, receipt); }
  Result<> operator()(const LeaveGroup& m) { return leave_group(side, m); }
  Result<> operator()(const AnnotateGroup& m) { return annotate_group(side, m); }
  Result<> operator()(const CreateReplay& m) { return create_replay(side, m, receipt); }
  Result<> operator()(const FreezeChunk& m) { return freeze_chunk(side, m, receipt); }
  Result<> operator()(const AddReplayItems& m) { return add_replay_items(side, m); }
  Result<> operator()(const PutReplay& m) { return put_replay(side, m); }
  Result<> operator()(const DropReplay& m) { return drop_replay(side, m); }
  Result<> operator()(const SetReplayItem& m) { return set_replay_item(side, m); }
  Result<> operator()(const PutEffect& m) { return put_effect(side, m); }
  Result<> operator()(const DropEffects& m) { return drop_effects(side, m, receipt); }
  Result<> operator()(const TrimStream& m) { return trim_stream(side, m); }
  Result<> operator()(const AddAudit& m) { return add_audit(side, m); }
  Result<> operator()(const PutMeta& m) { return put_meta(side, m); }
  Result<> operator()(const PutToken& m) { return put_token(side, m); }
  Result<> operator()(const DropToken& m) { return drop_token(side, m); }
  Result<> operator()(const PutApproval& m) { return put_approval(side, m); }
  Result<> operator()(const DropApproval& m) { return drop_approval(side, m); }
  Result<> operator()(const RotateKeys&) { return rotate_keys(side, receipt); }
  Result<> operator()(const ShredStream& m) { return shred_stream(side, m, receipt); }
};

// Before anything is written: a key that was not given is an error of the batch, not of the store.
Result<> refusable(Result<> verified) {
  if (verified.ok() || verified.error().code != Code::key_wrong) return verified;
  return Error{Code::precondition_failed, verified.error().detail, verified.error().hint};
}

}  // namespace

Result<Receipt> apply_batch(WriteSide& side, const WriteBatch& batch) {
  Receipt receipt;
  for (std::size_t i = 0; i < batch.preconditions.size(); ++i) {
    WEIR_TRY(const bool holds, std::visit(Holds{side}, batch.preconditions[i]));
    if (holds) continue;
    receipt.applied = false;
    receipt.failed_precondition = i;
    return receipt;
  }
  Present present(side);
  WEIR_CHECK(check_batch(batch, present));
  for (const Mutation& mutation : batch.mutations) {
    if (std::holds_alternative<RotateKeys>(mutation)) WEIR_CHECK(refusable(side.keys.verify()));
  }
  Apply apply{side, receipt};
  for (const Mutation& mutation : batch.mutations) {
    WEIR_CHECK(std::visit(apply, mutation));
  }
  return receipt;
}

}  // namespace weir::store::sqlite
