// SPDX-License-Identifier: Apache-2.0
// The database file: its settings, its tables, and how to tell that it is a whole one of ours.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "store/sqlite/connection.h"

namespace weir::store::sqlite {

inline constexpr int kApplicationId = 0x57454952;  // "WEIR"
inline constexpr int kFormat = 7;                  // user_version
inline constexpr int kPageSize = 8192;

// Sets every pragma that durability, bounds and speed depend on, and reads each back. The page size
// and the kind of auto-vacuum are fixed by the first one that creates the file.
// Code::store_setting_refused.
Result<> apply_settings(Connection& db, Access access);
// Makes all tables in an empty database, in one transaction.
Result<> create_tables(Connection& db, std::uint64_t incarnation);
// The file is a Weir store of this format with all its tables. store_corrupt, store_newer_format,
// store_older_format.
Result<> verify_tables(Connection& db);
// Raised by each restore, so that an old copy is told from the original. Code::store_corrupt.
Result<std::uint64_t> read_incarnation(Connection& db);
Result<> write_incarnation(Connection& db, std::uint64_t incarnation);

}  // namespace weir::store::sqlite
