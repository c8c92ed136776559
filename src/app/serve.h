// SPDX-License-Identifier: Apache-2.0
// The `serve` command.
#pragma once

#include <optional>
#include <string>

namespace weir::app {

struct ServeOptions {
  std::string config;
  std::string data;
  std::optional<std::string> listen;
};

// Runs until SIGTERM or SIGINT; the result is the exit code.
int run_serve(const ServeOptions& options);

}  // namespace weir::app
