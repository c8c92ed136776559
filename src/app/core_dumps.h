// SPDX-License-Identifier: Apache-2.0
// Payloads and secrets are in the memory of a serving Weir, and a core file would keep them.
#pragma once

namespace weir::app {

// No core files, and no debugger of the same user at the process, from now on. Not under a
// sanitizer, which looks at its own process that way. False if the kernel refused.
bool forbid_core_dumps();

}  // namespace weir::app
