// SPDX-License-Identifier: Apache-2.0
// The configurations of a run: one stream, a dependency, three that effects reach, and flows.
#pragma once

#include <cstdint>
#include <string>

#include "model/config_model.h"

namespace weir::engine_sim {

inline constexpr const char* kFlows[] = {"orders", "feed", "extra"};
inline constexpr std::uint32_t kMaxAttempts = 3;

std::uint32_t key_of(std::uint32_t event);
// Variant 0 is the one to begin and to end with. Others leave out the flow `extra`, and draw limits
// and guardrails anew.
Config config_of(std::uint64_t seed, std::uint64_t variant);

}  // namespace weir::engine_sim
