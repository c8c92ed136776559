// SPDX-License-Identifier: Apache-2.0
// What `weir group get` says about a group beyond its facts.
#pragma once

#include <string>

#include "base/time.h"
#include "wire/json.h"

namespace weir::app {

// What its members share, when they failed, what changed before; "" if nothing is known.
std::string insight_text(wire::Json insight, WallTime now);

}  // namespace weir::app
