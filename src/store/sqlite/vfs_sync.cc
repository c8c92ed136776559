// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/vfs_sync.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <sqlite3.h>

namespace weir::store::sqlite {

Result<> sync_folder(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && fsync(descriptor) == 0;
  const int reason = errno;
  if (descriptor >= 0) close(descriptor);
  if (synced) return {};
  return Error{Code::store_failed, fmt::format("fsync of {}: {}", folder, std::strerror(reason)),
               "check the disk"};
}

Result<> sync_database(Connection& db, const std::string& folder) {
  sqlite3_file* file = nullptr;
  const int found = sqlite3_file_control(db.handle(), "main", SQLITE_FCNTL_FILE_POINTER,
                                         static_cast<void*>(&file));
  const bool synced = found == SQLITE_OK && file != nullptr && file->pMethods != nullptr &&
                      file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) == SQLITE_OK;
  if (!synced)
    return Error{Code::store_failed, "the database file cannot be synced", "check the disk"};
  const int answered = sqlite3_file_control(db.handle(), "main", kSyncFolderControl, nullptr);
  if (answered == SQLITE_OK) return {};
  if (answered == SQLITE_NOTFOUND) return sync_folder(folder);
  return Error{Code::store_failed, "the folder cannot be synced", "check the disk"};
}

}  // namespace weir::store::sqlite
