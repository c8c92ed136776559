// SPDX-License-Identifier: Apache-2.0
// Whole values as bytes, for stores that keep only the searched fields in columns. Decoding gives
// back everything that encoding was given, except what the comment of a function names. Errors:
// store_corrupt.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/access.h"
#include "model/approval.h"
#include "model/delivery.h"
#include "model/effect.h"
#include "model/flow_state.h"
#include "model/group.h"
#include "model/replay.h"
#include "model/revision.h"

namespace weir::store {

std::string encode_row(const Delivery& delivery);  // without group
Result<Delivery> decode_delivery(std::string_view bytes);

std::string encode_row(const Revision& revision);
Result<Revision> decode_revision(std::string_view bytes);

std::string encode_row(const FlowRecord& flow);  // without cursor
Result<FlowRecord> decode_flow(std::string_view bytes);

std::string encode_row(const StreamRecord& stream);  // without next_seq and first_seq
Result<StreamRecord> decode_stream(std::string_view bytes);

std::string encode_row(const Group& group);  // without keys
Result<Group> decode_group(std::string_view bytes);

std::string encode_row(const Hold& hold);
Result<Hold> decode_hold(std::string_view bytes);

std::string encode_row(const Replay& replay);
Result<Replay> decode_replay(std::string_view bytes);

std::string encode_row(const Effect& effect);  // without id
Result<Effect> decode_effect(std::string_view bytes);

std::string encode_row(const AuditEntry& entry);  // without number
Result<AuditEntry> decode_audit(std::string_view bytes);

std::string encode_row(const AccessToken& token);
Result<AccessToken> decode_token(std::string_view bytes);

std::string encode_row(const Approval& approval);
Result<Approval> decode_approval(std::string_view bytes);

}  // namespace weir::store
