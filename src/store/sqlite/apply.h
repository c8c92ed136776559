// SPDX-License-Identifier: Apache-2.0
// One function per mutation. The batch was checked before, so every error is one of the storage.
#pragma once

#include "store/sqlite/write_side.h"

namespace weir::store::sqlite {

Result<> append_events(WriteSide& side, const ports::AppendEvents& mutation,
                       ports::Receipt& receipt);
Result<> put_stream(WriteSide& side, const ports::PutStream& mutation);

Result<> put_flow(WriteSide& side, const ports::PutFlow& mutation);
Result<> set_flow_status(WriteSide& side, const ports::SetFlowStatus& mutation);
Result<> put_cursor(WriteSide& side, const ports::PutCursor& mutation);
Result<> add_settlements(WriteSide& side, const ports::AddSettlements& mutation);
Result<> remove_flow(WriteSide& side, const ports::RemoveFlow& mutation);
Result<> put_effect(WriteSide& side, const ports::PutEffect& mutation);
Result<> drop_effects(WriteSide& side, const ports::DropEffects& mutation, ports::Receipt& receipt);
Result<bool> effect_is(WriteSide& side, const ports::EffectIs& condition);
Result<> add_audit(WriteSide& side, const ports::AddAudit& mutation);
Result<> put_meta(WriteSide& side, const ports::PutMeta& mutation);
Result<> put_token(WriteSide& side, const ports::PutToken& mutation);
Result<> drop_token(WriteSide& side, const ports::DropToken& mutation);
Result<> put_approval(WriteSide& side, const ports::PutApproval& mutation);
Result<> drop_approval(WriteSide& side, const ports::DropApproval& mutation);

Result<> put_delivery(WriteSide& side, const ports::PutDelivery& mutation);
Result<> keep_event(WriteSide& side, DeliveryRef ref);
Result<> drop_kept_event(WriteSide& side, DeliveryRef ref);
Result<> put_revision(WriteSide& side, const ports::PutRevision& mutation);
Result<> put_hold(WriteSide& side, const ports::PutHold& mutation);
Result<> drop_hold(WriteSide& side, const ports::DropHold& mutation);

Result<> join_group(WriteSide& side, const ports::JoinGroup& mutation, ports::Receipt& receipt);
Result<> leave_group(WriteSide& side, const ports::LeaveGroup& mutation);
Result<> annotate_group(WriteSide& side, const ports::AnnotateGroup& mutation);

Result<> create_replay(WriteSide& side, const ports::CreateReplay& mutation,
                       ports::Receipt& receipt);
Result<> freeze_chunk(WriteSide& side, const ports::FreezeChunk& mutation, ports::Receipt& receipt);
Result<> add_replay_items(WriteSide& side, const ports::AddReplayItems& mutation);
Result<bool> not_in_replay(WriteSide& side, const ports::NotInReplay& condition);
Result<bool> notes_are(WriteSide& side, const ports::GroupNotesAre& condition);
Result<> put_replay(WriteSide& side, const ports::PutReplay& mutation);
Result<> drop_replay(WriteSide& side, const ports::DropReplay& mutation);
// What finished replays of the stream, and those of nothing, quote of its events.
Result<> forget_selected(WriteSide& side, StreamId stream);
Result<> set_replay_item(WriteSide& side, const ports::SetReplayItem& mutation);

Result<> trim_stream(WriteSide& side, const ports::TrimStream& mutation);

Result<> rotate_keys(WriteSide& side, ports::Receipt& receipt);
Result<> shred_stream(WriteSide& side, const ports::ShredStream& mutation, ports::Receipt& receipt);

}  // namespace weir::store::sqlite
