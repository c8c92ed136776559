// SPDX-License-Identifier: Apache-2.0
#include "model/flow_state.h"

#include "base/assert.h"

namespace weir {

std::string_view to_text(FlowStatus status) {
  switch (status) {
    case FlowStatus::active: return "active";
    case FlowStatus::paused: return "paused";
    case FlowStatus::removed: return "removed";
  }
  WEIR_ASSERT(false);
}

}  // namespace weir
