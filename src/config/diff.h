// SPDX-License-Identifier: Apache-2.0
// What differs between two configurations, for people and the audit log. Header values are never
// shown.
#pragma once

#include <string>

#include "model/config_model.h"

namespace weir::config {

// One line per difference, "flow sync-issues changed"; empty if nothing differs.
std::string diff(const Config& before, const Config& after);

}  // namespace weir::config
