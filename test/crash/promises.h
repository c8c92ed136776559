// SPDX-License-Identifier: Apache-2.0
// What must hold at the end of the scenario, whatever happened on the way.
#pragma once

#include "life.h"

namespace weir::crash {

// Fails the test for everything that does not hold. `crashes`: ends of lives in the middle of work.
void check_promises(Life& life, const Journal& journal, std::uint32_t crashes);

}  // namespace weir::crash
