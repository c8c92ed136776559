// SPDX-License-Identifier: Apache-2.0
// Lets everything that is ready now run first. Work that many events ask for is done once after
// them all.
#pragma once

#include "async/task.h"

namespace weir::async {

Task<> turn();

}  // namespace weir::async
