// SPDX-License-Identifier: Apache-2.0
// Keeps a stream's dedupe table over restarts. Segments of kSegmentEntries hashes are written in
// the transaction of the event that fills them; the hashes after the last one are read back from
// the events, which carry them.
#pragma once

#include <cstdint>

#include "store/sqlite/write_side.h"

namespace weir::store::sqlite {

// Remembers the event just inserted, whose recorded time is the stream's last.
Result<> remember(WriteSide& side, StreamState& stream, std::uint64_t hash, std::uint64_t seq);
// Fills an empty table from the segments; a damaged segment is skipped, since a forgotten hash
// loses nothing.
Result<> load_segments(WriteSide& side, StreamState& stream);
// Reads the tail again from the events, and adds it to the table if `into_table`.
Result<> load_tail(WriteSide& side, StreamState& stream, bool into_table);

}  // namespace weir::store::sqlite
