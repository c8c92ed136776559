// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "store/records/envelope.h"
#include "store/records/packing.h"
#include "store/records/rows.h"
#include "store/sqlite/apply.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/read_side.h"
#include "store/sqlite/settlement_span.h"
#include "wire/audit_chain.h"

namespace weir::store::sqlite {
namespace {

using namespace ports;

Result<> write_flow(WriteSide& side, const FlowRecord& flow) {
  const std::string record = seal(key_bytes({flow.id.value}), encode_row(flow));
  const std::string cursor = seal(key_bytes({flow.id.value}), pack_cursor(flow.cursor));
  return side.db.run(
      "INSERT INTO flows(id, name, stream, epoch, cursor, record) VALUES(?1, ?2, ?3, ?4, ?5, ?6) "
      "ON CONFLICT(id) DO UPDATE SET name = ?2, stream = ?3, epoch = ?4, record = ?6",
      flow.id.value, flow.name, flow.stream.value, flow.epoch, cursor, record);
}

Result<> write_settlements(WriteSide& side, const AddSettlements& mutation,
                           std::span<const Settlement> part) {
  const std::int64_t number = std::max(side.last_settlement_number + 1, to_micros(mutation.at));
  side.last_settlement_number = number;
  std::string payload = key_bytes({to_micros(mutation.at)});
  payload += pack_settlements(part);
  const std::int64_t flow = mutation.flow.value;
  const auto first = static_cast<std::int64_t>(part.front().seq);
  const std::string record = seal(key_bytes({flow, first, number}), payload);
  return side.db.run(
      "INSERT OR REPLACE INTO settlements(flow, min_seq, number, max_seq, record) VALUES(?1, ?2, "
      "?3, ?4, ?5)",
      flow, first, number, part.back().seq, record);
}

}  // namespace

Result<> put_flow(WriteSide& side, const PutFlow& mutation) {
  side.flows.insert(mutation.flow.id);
  return write_flow(side, mutation.flow);
}

Result<> set_flow_status(WriteSide& side, const SetFlowStatus& mutation) {
  FlowRecord flow;
  {
    WEIR_TRY(Query query,
             side.db.query("SELECT record FROM flows WHERE id = ?1", mutation.flow.value));
    WEIR_TRY(const bool row, query.next());
    if (!row) return {};
    WEIR_TRY(const std::string_view payload,
             unseal(key_bytes({mutation.flow.value}), query.bytes(0), "a flow"));
    WEIR_TRY(flow, decode_flow(payload));
  }
  flow.status = mutation.status;
  flow.reason = mutation.reason;
  flow.since = mutation.since;
  flow.cause = mutation.cause;
  return write_flow(side, flow);
}

Result<> put_cursor(WriteSide& side, const PutCursor& mutation) {
  const std::string cursor = seal(key_bytes({mutation.flow.value}), pack_cursor(mutation.cursor));
  return side.db.run("UPDATE flows SET cursor = ?2 WHERE id = ?1", mutation.flow.value, cursor);
}

Result<> add_settlements(WriteSide& side, const AddSettlements& mutation) {
  std::span<const Settlement> rest = mutation.settlements;
  while (!rest.empty()) {
    const std::uint64_t end = rest.front().seq + kSettlementSpan;
    const auto past = std::ranges::lower_bound(rest, end, {}, &Settlement::seq);
    const auto part = rest.first(static_cast<std::size_t>(past - rest.begin()));
    WEIR_CHECK(write_settlements(side, mutation, part));
    rest = rest.subspan(part.size());
  }
  return {};
}

namespace {

Result<> drop_rows_of(WriteSide& side, std::int64_t flow) {
  WEIR_CHECK(side.db.run("DELETE FROM flows WHERE id = ?1", flow));
  WEIR_CHECK(side.db.run("DELETE FROM deliveries WHERE flow = ?1", flow));
  WEIR_CHECK(side.db.run("DELETE FROM kept_events WHERE flow = ?1", flow));
  WEIR_CHECK(side.db.run("DELETE FROM revisions WHERE flow = ?1", flow));
  WEIR_CHECK(side.db.run("DELETE FROM holds WHERE flow = ?1", flow));
  WEIR_CHECK(side.db.run("DELETE FROM settlements WHERE flow = ?1", flow));
  return side.db.run("DELETE FROM groups WHERE flow = ?1", flow);
}

}  // namespace

// Whoever wants its stream forgotten removes the flow first: what was written before the store was
// encrypted must not stay in free pages.
Result<> remove_flow(WriteSide& side, const RemoveFlow& mutation) {
  side.flows.erase(mutation.flow);
  side.log_must_go = true;
  return erasing(side.db, [&] { return drop_rows_of(side, mutation.flow.value); });
}

namespace {

Result<> write_meta(WriteSide& side, const std::string& key, const std::string& record) {
  return side.db.run(
      "INSERT INTO meta(key, record) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET record = ?2",
      key, record);
}

}  // namespace

// The head of the chain is plain, as the chain is: both are verified without a key.
Result<> add_audit(WriteSide& side, const AddAudit& mutation) {
  if (!side.audit_head) {
    WEIR_TRY(side.audit_head, audit_head(side.db));
  }
  const AuditEntry entry = wire::linked(mutation.entry, *side.audit_head);
  const auto number = static_cast<std::int64_t>(entry.number);
  WEIR_CHECK(side.db.run("INSERT INTO audit(number, record) VALUES(?1, ?2)", number,
                         seal(key_bytes({number}), encode_row(entry))));
  side.audit_head = AuditHead{entry.number, entry.hash};
  return write_meta(side, std::string(kAuditHeadMeta),
                    seal(kAuditHeadMeta, wire::to_text(*side.audit_head)));
}

Result<> put_meta(WriteSide& side, const PutMeta& mutation) {
  WEIR_TRY(const std::string record,
           side.keys.seal("meta", kStoreKeys, mutation.key, mutation.value));
  return write_meta(side, mutation.key, record);
}

Result<> put_token(WriteSide& side, const PutToken& mutation) {
  const std::int64_t id = mutation.token.id.value;
  const std::string record = seal(key_bytes({id}), encode_row(mutation.token));
  return side.db.run(
      "INSERT INTO tokens(id, record) VALUES(?1, ?2) ON CONFLICT(id) DO UPDATE SET record = ?2", id,
      record);
}

Result<> put_approval(WriteSide& side, const PutApproval& mutation) {
  const Approval& approval = mutation.approval;
  const std::int64_t id = approval.id.value;
  const std::string record = seal(key_bytes({id}), encode_row(approval));
  return side.db.run(
      "INSERT INTO approvals(id, version, record) VALUES(?1, ?2, ?3) ON CONFLICT(id) DO UPDATE "
      "SET version = ?2, record = ?3",
      id, static_cast<std::int64_t>(approval.version), record);
}

Result<> drop_approval(WriteSide& side, const DropApproval& mutation) {
  return side.db.run("DELETE FROM approvals WHERE id = ?1", mutation.approval.value);
}

Result<> drop_token(WriteSide& side, const DropToken& mutation) {
  return side.db.run("DELETE FROM tokens WHERE id = ?1", mutation.token.value);
}

}  // namespace weir::store::sqlite
