// SPDX-License-Identifier: Apache-2.0
// What must hold at the end of the reference story, however often it was cut short.
#pragma once

#include "life.h"

namespace weir::crash {

void check_promises(Life& life, const Journal& journal, std::uint32_t crashes);

}  // namespace weir::crash
