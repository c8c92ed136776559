// SPDX-License-Identifier: Apache-2.0
// Everything that a store tells through its ports, as text: two stores with the same text hold the
// same.
#pragma once

#include <string>

#include "async/task.h"
#include "ports/store.h"

namespace weir::cycles {

// One line per thing: streams with their events, flows with cursor, settlements, holds and kept
// events, deliveries with revisions, groups, replays with items, effects, tokens, approvals, the
// audit and one meta value.
async::Task<Result<std::string>> holdings_of(ports::Store& store);

// The meta value that is looked at.
inline constexpr const char* kMetaKey = "note";

}  // namespace weir::cycles
