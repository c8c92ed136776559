// SPDX-License-Identifier: Apache-2.0
// The attempts of a delivery as JSON, the same wherever they are shown.
#pragma once

#include <vector>

#include "model/delivery.h"
#include "wire/json.h"

namespace weir::recovery {

// Appends the member "history".
void write_history(wire::JsonWriter& json, const std::vector<AttemptRecord>& history);

}  // namespace weir::recovery
