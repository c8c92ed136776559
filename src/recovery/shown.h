// SPDX-License-Identifier: Apache-2.0
// What people typed or an earlier configuration kept, in the form in which it may be shown.
#pragma once

#include <string>

#include "model/replay.h"
#include "recovery/live.h"

namespace weir::recovery {

// The ordering key of a delivery. One that was kept before its flow began to redact keys is a tag
// here, too.
std::string shown_key(const Live& live, FlowId flow, const std::string& key);

// The key that a selection asks for as rows have it: people may type the key itself or its tag.
// Error: invalid_argument, if the selection takes flows of both kinds.
Result<std::string> key_as_stored(const Live& live, const Selection& selection);

// What it asks of hidden members and attributes is masked. A plan keeps the pattern as it was
// typed.
Selection shown_selection(const Live& live, Selection selection);

// The values of the headers that a plan sets are secrets, mostly: nobody is shown them. Who sends a
// plan back leaves those as they were that still are the mask.
void mask_headers(ReplayTerms& terms);
void keep_masked_headers(ReplayTerms& terms, const ReplayTerms& before);

// See policy/plan_hash.h.
std::string plan_hash(const Live& live, const ReplayPlan& plan);

}  // namespace weir::recovery
