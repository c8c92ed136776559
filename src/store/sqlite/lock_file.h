// SPDX-License-Identifier: Apache-2.0
// One process per data folder: an exclusive lock on a file beside the database, held for the life
// of the object. Never on the database file itself, whose locks are SQLite's.
#pragma once

#include <string>

#include "base/result.h"

namespace weir::store::sqlite {

class LockFile {
 public:
  LockFile() = default;
  // Code::store_in_use naming the other process; store_unreadable if the file cannot be made.
  static Result<LockFile> take(const std::string& path);
  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&& other) noexcept;
  ~LockFile();

 private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace weir::store::sqlite
