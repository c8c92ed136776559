// SPDX-License-Identifier: Apache-2.0
// Mutations on the tables. The batch was checked before (records/batch_check.h), so nothing here
// can fail.
#pragma once

#include "base/result.h"
#include "ports/write_batch.h"
#include "store/memory/tables.h"

namespace weir::store::memory {

// Checks the batch and its preconditions, then applies all of it or nothing.
Result<ports::Receipt> apply_batch(Tables& tables, const ports::WriteBatch& batch);

void append_events(Tables& tables, const ports::AppendEvents& mutation, ports::Receipt& receipt);
void keep_event(Tables& tables, DeliveryRef ref);
void trim_stream(Tables& tables, const ports::TrimStream& mutation);
void shred_stream(Tables& tables, StreamId stream);
void remove_flow(Tables& tables, FlowId flow);
void join_group(Tables& tables, const ports::JoinGroup& mutation, ports::Receipt& receipt);
void create_replay(Tables& tables, const ports::CreateReplay& mutation, ports::Receipt& receipt);
void freeze_chunk(Tables& tables, const ports::FreezeChunk& mutation, ports::Receipt& receipt);
void add_replay_items(Tables& tables, const ports::AddReplayItems& mutation);
void drop_replay(Tables& tables, ReplayId id);
void forget_selected(Tables& tables, StreamId stream);

void put_effect(Tables& tables, const ports::PutEffect& mutation);
void drop_effects(Tables& tables, const ports::DropEffects& mutation, ports::Receipt& receipt);
void shred_effects(Tables& tables, StreamId stream);
bool effect_is(const Tables& tables, const ports::EffectIs& condition);

// The unfinished replay that the delivery is in.
std::optional<ReplayId> open_replay_of(const Tables& tables, DeliveryRef ref);

}  // namespace weir::store::memory
