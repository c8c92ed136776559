// SPDX-License-Identifier: Apache-2.0
#include "model/flow_state.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "base/text.h"

namespace weir {

std::string_view to_text(PauseCause cause) {
  switch (cause) {
    case PauseCause::none: return "none";
    case PauseCause::person: return "person";
    case PauseCause::onFailure: return "onFailure";
    case PauseCause::deadLetterBrake: return "deadLetterBrake";
  }
  return "none";
}

std::string_view to_text(FlowStatus status) {
  switch (status) {
    case FlowStatus::active: return "active";
    case FlowStatus::paused: return "paused";
    case FlowStatus::removed: return "removed";
  }
  WEIR_ASSERT(false);
}

Error unknown_flow(std::string_view name, std::span<const std::string> known) {
  return {Code::unknown_flow, fmt::format("unknown flow '{}'", printable(name)),
          did_you_mean(name, known)};
}

}  // namespace weir
