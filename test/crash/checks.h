// SPDX-License-Identifier: Apache-2.0
// What must hold at the end of any story.
#pragma once

#include "life.h"

namespace weir::crash {

DeliveryRef ref_of(Life& life, FlowName flow, std::uint32_t event);

// Calls of one key come in the order of its events.
void check_order(const Journal& journal);
// A call repeats only for what was on its way when a life ended, under the same key.
void check_calls(const Journal& journal, std::uint32_t crashes);
// Every link of the audit's chain holds, up to the head that the store keeps.
void check_chain(Life& life);
// What every replay says of its members is what the members say.
void check_sums(Life& life);

}  // namespace weir::crash
