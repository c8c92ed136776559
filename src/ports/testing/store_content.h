// SPDX-License-Identifier: Apache-2.0
// Everything that a store tells about itself, as text: two stores with the same text hold the same.
#pragma once

#include <string>

#include "ports/testing/store_bench.h"

namespace weir::ports::testing {

// Streams, flows with cursors, up to 1000 each of events, kept events, deliveries, holds, groups,
// replays with items and audit entries, and the settlements of the first 50 seqs. One line per
// thing.
std::string content_of(StoreBench& bench);

}  // namespace weir::ports::testing
