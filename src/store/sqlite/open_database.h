// SPDX-License-Identifier: Apache-2.0
// Opens the database of a data folder for writing: makes it if there is none, verifies it, and
// makes durable what is visible in it. The folder's lock is held by the caller.
#pragma once

#include <string>

#include "base/result.h"
#include "store/sqlite/connection.h"

namespace weir::store::sqlite {

inline constexpr const char* kDatabaseFile = "/weir.db";

// A new database is made under another name and renamed when it is whole, so that a crash leaves
// none or all of it. One that is missing, empty or cut short where there was a store is
// store_corrupt, never made anew.
Result<Connection> open_folder_database(const std::string& folder, bool create);
// On a VFS without files of its own to rename.
Result<Connection> open_vfs_database(const std::string& folder, const std::string& vfs);
// A connection that only reads, to a database that is open for writing in this process.
Result<Connection> open_reader(const std::string& folder, const std::string& vfs);

// The database at `path`, which does not exist yet, complete and synced.
Result<> create_database(const std::string& path, const std::string& folder,
                         std::uint64_t incarnation);

}  // namespace weir::store::sqlite
