// SPDX-License-Identifier: Apache-2.0
// Exit codes of the command line. Scripts rely on them: a meaning never changes.
#pragma once

#include "app/exit_status.h"

namespace weir::app {

inline constexpr int kExitPartial = 3;     // some of it was done, some was not
inline constexpr int kExitNotAllowed = 4;  // not authenticated or not allowed
inline constexpr int kExitNotFound = 5;
inline constexpr int kExitConflict = 6;       // the state does not allow it, or changed in between
inline constexpr int kExitStopped = 7;        // a stop condition halted it
inline constexpr int kExitUnsound = 8;        // a check found something wrong
inline constexpr int kExitUnreachable = 9;    // no server answered
inline constexpr int kExitInterrupted = 130;  // Ctrl-C; the operation itself goes on

}  // namespace weir::app
