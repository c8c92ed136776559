// SPDX-License-Identifier: Apache-2.0
// Compact forms of the records that are written with every commit.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/delivery.h"
#include "model/flow_state.h"

namespace weir::store {

// About 3 bytes per settlement that followed its neighbour at once with the same status on the
// first attempt. Settlements are sorted by seq, without repeats.
std::string pack_settlements(std::span<const Settlement> settlements);
Result<std::vector<Settlement>> unpack_settlements(std::string_view blob);

std::string pack_cursor(const Cursor& cursor);
Result<Cursor> unpack_cursor(std::string_view blob);
// Ranges sorted, disjoint, non-empty, all within [floor, mark).
bool is_valid(const Cursor& cursor);

}  // namespace weir::store
