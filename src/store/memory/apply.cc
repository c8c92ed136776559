// SPDX-License-Identifier: Apache-2.0
#include "store/memory/apply.h"

#include <algorithm>

#include "store/records/batch_check.h"
#include "wire/audit_chain.h"

namespace weir::store::memory {
namespace {

using namespace ports;

class Present final : public Existing {
 public:
  explicit Present(const Tables& tables) : tables_(tables) {}
  Result<bool> stream(StreamId id) override { return tables_.streams.contains(id); }
  Result<bool> flow(FlowId id) override { return tables_.flows.contains(id); }
  Result<bool> replay(ReplayId id) override { return tables_.replays.contains(id); }
  Result<bool> delivery(DeliveryRef ref) override { return tables_.deliveries.contains(ref); }
  Result<std::uint32_t> newest_revision(DeliveryRef ref) override {
    const auto found = tables_.revisions.find(ref);
    return found == tables_.revisions.end() ? kFirstRevision : found->second.back().number;
  }

 private:
  const Tables& tables_;
};

struct Holds {
  const Tables& tables;

  bool operator()(const DeliveryIs& p) const {
    const auto row = tables.deliveries.find(p.ref);
    return row != tables.deliveries.end() && row->second.state == p.state &&
           (p.changed_at == WallTime{} || row->second.changed_at == p.changed_at);
  }
  bool operator()(const DeliveryAbsent& p) const { return !tables.deliveries.contains(p.ref); }
  bool operator()(const EventStored& p) const { return tables.find_event(p.position) != nullptr; }
  bool operator()(const ReplayIs& p) const {
    const auto replay = tables.replays.find(p.replay);
    return replay != tables.replays.end() && replay->second.state == p.state;
  }
  bool operator()(const ReplayItemIs& p) const {
    const auto item = tables.items.find({p.replay, p.ref});
    return item != tables.items.end() && item->second == p.state;
  }
  bool operator()(const FlowEpochIs& p) const {
    const auto flow = tables.flows.find(p.flow);
    return flow != tables.flows.end() && flow->second.epoch == p.epoch;
  }
  bool operator()(const EffectIs& p) const { return effect_is(tables, p); }
  bool operator()(const NotInReplay& p) const { return !open_replay_of(tables, p.ref); }
  bool operator()(const ApprovalIs& p) const {
    const auto known = tables.approvals.find(p.approval);
    return (known == tables.approvals.end() ? 0 : known->second.version) == p.version;
  }
  bool operator()(const GroupNotesAre& p) const {
    const auto group = tables.groups.find(p.group);
    return group != tables.groups.end() && group->second.notes == p.notes;
  }
};

struct Apply {
  Tables& tables;
  Receipt& receipt;

  void operator()(const AppendEvents& m) { append_events(tables, m, receipt); }
  void operator()(const RemoveFlow& m) { remove_flow(tables, m.flow); }
  void operator()(const KeepEvent& m) { keep_event(tables, m.ref); }
  void operator()(const DropKeptEvent& m) { tables.kept.erase(m.ref); }
  void operator()(const PutDelivery& m) { tables.deliveries[m.delivery.ref] = m.delivery; }
  void operator()(const PutRevision& m) { tables.revisions[m.revision.ref].push_back(m.revision); }
  void operator()(const PutHold& m) { tables.holds[{m.hold.flow, m.hold.key}] = m.hold; }
  void operator()(const DropHold& m) { tables.holds.erase({m.flow, m.key}); }
  void operator()(const JoinGroup& m) { join_group(tables, m, receipt); }
  void operator()(const CreateReplay& m) { create_replay(tables, m, receipt); }
  void operator()(const FreezeChunk& m) { freeze_chunk(tables, m, receipt); }
  void operator()(const AddReplayItems& m) { add_replay_items(tables, m); }
  void operator()(const DropReplay& m) { drop_replay(tables, m.replay); }
  void operator()(const PutEffect& m) { put_effect(tables, m); }
  void operator()(const DropEffects& m) { drop_effects(tables, m, receipt); }
  void operator()(const TrimStream& m) { trim_stream(tables, m); }
  void operator()(const RotateKeys&) {}  // nothing is encrypted here
  void operator()(const ShredStream& m) {
    shred_stream(tables, m.stream);
    shred_effects(tables, m.stream);
    forget_selected(tables, m.stream);
    receipt.shredded_before = tables.streams.at(m.stream).record.next_seq;
  }
  void operator()(const PutMeta& m) { tables.meta[m.key] = m.value; }
  void operator()(const PutToken& m) { tables.tokens[m.token.id] = m.token; }
  void operator()(const DropToken& m) { tables.tokens.erase(m.token); }
  void operator()(const PutApproval& m) { tables.approvals[m.approval.id] = m.approval; }
  void operator()(const DropApproval& m) { tables.approvals.erase(m.approval); }

  void operator()(const PutStream& m) {
    StreamLog& log = tables.streams[m.stream.id];
    const bool known = static_cast<bool>(log.record.id);
    const StreamRecord before = std::exchange(log.record, m.stream);
    if (known) {
      log.record.next_seq = before.next_seq;
      log.record.first_seq = before.first_seq;
    } else {
      log.record.first_seq = log.record.next_seq;  // no events yet
    }
    log.dedupe.set_limits({m.stream.dedupe_window, m.stream.dedupe_max_entries});
  }

  void operator()(const PutFlow& m) {
    FlowRecord& flow = tables.flows[m.flow.id];
    const bool known = static_cast<bool>(flow.id);
    Cursor cursor = std::move(flow.cursor);
    flow = m.flow;
    if (known) flow.cursor = std::move(cursor);
  }

  void operator()(const SetFlowStatus& m) {
    const auto flow = tables.flows.find(m.flow);
    if (flow == tables.flows.end()) return;
    flow->second.status = m.status;
    flow->second.reason = m.reason;
    flow->second.since = m.since;
    flow->second.cause = m.cause;
  }

  void operator()(const PutCursor& m) {
    const auto flow = tables.flows.find(m.flow);
    if (flow != tables.flows.end()) flow->second.cursor = m.cursor;
  }

  void operator()(const AddSettlements& m) {
    for (const Settlement& one : m.settlements) tables.settlements[{m.flow, one.seq}] = {one, m.at};
  }

  void operator()(const AnnotateGroup& m) {
    const auto group = tables.groups.find(m.group);
    if (group != tables.groups.end()) group->second.notes = m.notes;
  }

  void operator()(const LeaveGroup& m) {
    const auto group = tables.groups.find(m.group);
    if (group == tables.groups.end()) return;
    group->second.open -= std::min(group->second.open, m.count);
  }

  void operator()(const PutReplay& m) {
    Replay& replay = tables.replays.at(m.replay.id);
    const std::uint64_t planned = replay.counts.planned;
    replay = m.replay;
    replay.counts.planned = planned;
  }

  void operator()(const SetReplayItem& m) {
    const auto item = tables.items.find({m.replay, m.ref});
    if (item != tables.items.end()) item->second = m.state;
  }

  void operator()(const AddAudit& m) {
    const AuditHead head = tables.audit.empty()
                               ? AuditHead{}
                               : AuditHead{tables.audit.size(), tables.audit.back().hash};
    const AuditEntry& entry = tables.audit.emplace_back(wire::linked(m.entry, head));
    tables.meta[std::string(kAuditHeadMeta)] = wire::to_text({entry.number, entry.hash});
  }
};

}  // namespace

Result<Receipt> apply_batch(Tables& tables, const WriteBatch& batch) {
  Receipt receipt;
  for (std::size_t i = 0; i < batch.preconditions.size(); ++i) {
    if (std::visit(Holds{tables}, batch.preconditions[i])) continue;
    receipt.applied = false;
    receipt.failed_precondition = i;
    return receipt;
  }
  Present present(tables);
  WEIR_CHECK(check_batch(batch, present));
  Apply apply{tables, receipt};
  for (const Mutation& mutation : batch.mutations) std::visit(apply, mutation);
  return receipt;
}

}  // namespace weir::store::memory
