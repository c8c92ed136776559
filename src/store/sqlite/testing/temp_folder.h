// SPDX-License-Identifier: Apache-2.0
// A folder of its own for a test, removed with everything in it at the end.
#pragma once

#include <string>

namespace weir::store::sqlite::testing {

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace weir::store::sqlite::testing
