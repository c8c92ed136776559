// SPDX-License-Identifier: Apache-2.0
// Exit codes of the process itself, beside those of the command line.
#pragma once

namespace weir::app {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
// The storage failed while serving: nothing was acknowledged after that. The next start verifies
// and repairs.
inline constexpr int kExitStoreFailed = 74;
// The store cannot be opened: in use, from a newer Weir, damaged, unreadable, or without its key.
inline constexpr int kExitStoreRefused = 75;

}  // namespace weir::app
