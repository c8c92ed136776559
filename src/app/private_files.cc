// SPDX-License-Identifier: Apache-2.0
#include "app/private_files.h"

#include <sys/stat.h>

#include <fmt/format.h>

namespace weir::app {

void keep_files_private() { ::umask(077); }

void warn_of_open_folder(telemetry::Log& log, WallTime now, const std::string& folder) {
  constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
  struct stat found{};
  if (folder.empty() || ::stat(folder.c_str(), &found) != 0) return;
  if ((found.st_mode & kOthers) == 0) return;
  log.write(now, telemetry::Level::warning, "store.open_folder",
            fmt::format("the data folder '{}' has mode {:04o}, and others may look into it: chmod "
                        "-R go= it",
                        folder, found.st_mode & 07777));
}

}  // namespace weir::app
