// SPDX-License-Identifier: Apache-2.0
// What events hold is for the user that runs Weir: nobody else reads the files that are made.
#pragma once

#include <string>

#include "base/time.h"
#include "telemetry/log.h"

namespace weir::app {

// Of this process, from now on: files have mode 0600 and folders 0700, or less.
void keep_files_private();

// A data folder that was there before stays as somebody made it, and the log says so.
void warn_of_open_folder(telemetry::Log& log, WallTime now, const std::string& folder);

}  // namespace weir::app
