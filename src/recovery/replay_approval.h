// SPDX-License-Identifier: Apache-2.0
// What a replay asks another person for.
#pragma once

#include "recovery/approvals.h"

namespace weir::recovery {

// Wish::why is "" if the plan needs nobody's yes. Its makers are those of the plan.
async::Task<Result<Wish>> wish_of(ports::Store& store, const Live& live, WallTime now,
                                  Replay replay);

}  // namespace weir::recovery
