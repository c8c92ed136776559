// SPDX-License-Identifier: Apache-2.0
// Events for an engine that runs in the same process as its load.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"
#include "ports/write_batch.h"

namespace weir::bench {

// e<first>, e<first + 1> and so on, over a thousand ordering keys, to be stored in `stream`. `data`
// is JSON.
ports::WriteBatch append_batch(StreamId stream, std::uint64_t first, std::uint64_t count,
                               std::string_view data, WallTime now);

}  // namespace weir::bench
