// SPDX-License-Identifier: Apache-2.0
// The whole command line: parses, runs one command, explains what it did not understand.
#pragma once

namespace weir::app {

// The result is the exit code of the process.
int run_command_line(int argc, const char* const* argv);

}  // namespace weir::app
