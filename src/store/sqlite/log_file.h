// SPDX-License-Identifier: Apache-2.0
// The write-ahead log as a file, before SQLite opens it.
//
// SQLite takes the log up to the first frame that fails its checksum, which is right for a torn
// tail and wrong for damage in the middle: that would drop acknowledged commits without a word. And
// after a failed sync the log that programs see may exist in the page cache only, even its header:
// were it merely checkpointed, a power cut could bring the older log on the disk back, to be
// replayed over the newer database.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::store::sqlite {

// Damage that is no torn tail: at most one transaction is not synced when the power goes, so intact
// frames of two or more commits behind a broken one were acknowledged once. nullopt if there is
// none.
std::optional<std::string> find_log_damage(std::string_view log, std::size_t page_bytes);

// Reads the log of a database, refuses damage in it, writes the same bytes again and syncs them, so
// that what is visible is also on the disk. No log is fine. store_corrupt, store_failed,
// store_unreadable.
Result<> secure_log(const std::string& database, const std::string& vfs);

}  // namespace weir::store::sqlite
