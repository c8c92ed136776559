// SPDX-License-Identifier: Apache-2.0
// Made-up runs for the tests of what reports print: a minute with an outage from 20 s to 30 s.
#pragma once

#include "sim/run_result.h"

namespace weir::sim::testing {

// Never comes back: 560 calls per second go out and none succeeds.
RunResult metastable_run();
// The same load under a policy that brings it back at 32 s.
RunResult recovering_run();

}  // namespace weir::sim::testing
