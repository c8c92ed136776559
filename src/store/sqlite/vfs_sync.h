// SPDX-License-Identifier: Apache-2.0
// Making files and their names durable, through SQLite's own descriptors: closing another one on
// the database file would drop its locks.
#pragma once

#include <string>

#include "base/result.h"
#include "store/sqlite/connection.h"

namespace weir::store::sqlite {

// A file control that a VFS without a real folder answers instead of the folder's fsync.
inline constexpr int kSyncFolderControl = 0x57454953;

// Syncs the database file, then the entries of its folder. store_failed.
Result<> sync_database(Connection& db, const std::string& folder);
Result<> sync_folder(const std::string& folder);

}  // namespace weir::store::sqlite
