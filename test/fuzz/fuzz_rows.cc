// SPDX-License-Identifier: Apache-2.0
// Rows as stores keep them. The first byte chooses the kind. Whatever is accepted is written again
// in no more bytes, and then always in the same; its states have names.
#include <string>

#include "base/assert.h"
#include "input.h"
#include "store/records/rows.h"

namespace {

using namespace weir;
using namespace weir::store;

template <class Row>
void check_row(std::string_view bytes, Result<Row> (*decode)(std::string_view),
               void (*check)(const Row&)) {
  const auto row = decode(bytes);
  if (!row.ok()) {
    WEIR_ASSERT(row.error().code == Code::store_corrupt);
    return;
  }
  check(*row);
  const std::string once = encode_row(*row);
  WEIR_ASSERT(once.size() <= bytes.size());
  const auto again = decode(once);
  WEIR_ASSERT(again.ok() && encode_row(*again) == once);
}

void named(std::string_view name) { WEIR_ASSERT(!name.empty()); }

void check_delivery(const Delivery& row) {
  named(to_text(row.state)), named(to_text(row.failure));
  WEIR_ASSERT(row.history.size() <= kHistoryMax);
  for (const AttemptRecord& line : row.history) named(to_text(line.fault));
  for (const AttemptRecord& line : row.history) named(to_text(line.failure));
  for (const AttemptRecord& line : row.history) named(to_text(line.decision));
  WEIR_ASSERT(row.terms.headers.size() <= kReplayHeadersMax);
}

void check_flow(const FlowRecord& row) { named(to_text(row.status)), named(to_text(row.cause)); }

void check_replay(const Replay& row) {
  named(to_text(row.state)), named(to_text(row.resume_to));
  const auto plan = decode_replay_plan(encode_replay_plan(row.plan));
  WEIR_ASSERT(plan.ok());
}

void check_approval(const Approval& row) {
  named(to_text(row.act)), named(to_text(row.state(from_micros(0))));
}

template <class Row>
void nothing_more(const Row&) {}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  switch (fuzz::take_byte(text) % 11) {
    case 0: return check_row<Delivery>(text, decode_delivery, check_delivery);
    case 1: return check_row<Revision>(text, decode_revision, nothing_more);
    case 2: return check_row<FlowRecord>(text, decode_flow, check_flow);
    case 3: return check_row<StreamRecord>(text, decode_stream, nothing_more);
    case 4:
      return check_row<Group>(text, decode_group,
                              [](const Group& row) { named(to_text(row.failure)); });
    case 5: return check_row<Hold>(text, decode_hold, nothing_more);
    case 6: return check_row<Replay>(text, decode_replay, check_replay);
    case 7:
      return check_row<Effect>(text, decode_effect,
                               [](const Effect& row) { named(to_text(row.state)); });
    case 8: return check_row<AuditEntry>(text, decode_audit, nothing_more);
    case 9: return check_row<AccessToken>(text, decode_token, nothing_more);
    case 10: return check_row<Approval>(text, decode_approval, check_approval);
  }
}
