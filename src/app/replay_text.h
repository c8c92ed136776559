// SPDX-License-Identifier: Apache-2.0
// A replay in words. Pure; everything returned is printable.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "wire/json.h"

namespace weir::app {

// What the plan will do: how many, how fast, what goes first, what stops it. `replay` as the API
// answers it, also the `would` of a dry run, whose forecast knows the duration better.
std::string plan_text(wire::Json replay, std::optional<wire::Json> forecast = std::nullopt);
// What a dry run found: groups, load and calls.
std::string forecast_text(wire::Json forecast);
// How it went, ending with "sent / succeeded / failed again / skipped / in doubt".
std::string report_text(wire::Json replay, WallTime now);

}  // namespace weir::app
