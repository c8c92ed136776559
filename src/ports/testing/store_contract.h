// SPDX-License-Identifier: Apache-2.0
// What every store must do. Call one function per doctest TEST_CASE: each runs its SUBCASEs on
// fresh stores that the factory opens. The last one compares two stores over random batches.
#pragma once

#include "ports/testing/store_bench.h"

namespace weir::ports::testing {

void ingest_contract(
    const StoreFactory& open);  // append, duplicates, conflicts, collisions, reads of the log
void flow_contract(
    const StoreFactory& open);  // streams, flows, cursors, settlements, meta, audit, tokens
void delivery_contract(const StoreFactory& open);   // rows, due lists, holds, kept events, counts
void recovery_contract(const StoreFactory& open);   // groups, replays, freezing
void retention_contract(const StoreFactory& open);  // trimming, removal of flows
void effect_contract(const StoreFactory& open);     // the ledger
void batch_contract(const StoreFactory& open);  // preconditions, atomicity, lanes, refused batches

// Applies random batches to both and asks both every question: the answers must be equal.
void equivalence_contract(const StoreFactory& reference, const StoreFactory& tested);

}  // namespace weir::ports::testing
