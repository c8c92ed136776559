// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/testing/temp_folder.h"

#include <cstdlib>
#include <filesystem>

#include "base/assert.h"

namespace weir::store::sqlite::testing {

namespace {

// In memory if the system has such a folder: these tests ask what is written, not whether it
// survives the machine.
std::filesystem::path root() {
  std::error_code ignored;
  const std::filesystem::path memory = "/dev/shm";
  return std::filesystem::is_directory(memory, ignored) ? memory
                                                        : std::filesystem::temp_directory_path();
}

}  // namespace

TempFolder::TempFolder() : path_((root() / "weir-test-XXXXXX").string()) {
  WEIR_ASSERT(mkdtemp(path_.data()) != nullptr);
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace weir::store::sqlite::testing
