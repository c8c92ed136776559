// SPDX-License-Identifier: Apache-2.0
// The rules that CloudEvents 1.0.2 has for attributes, in one place for all content modes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/event.h"
#include "wire/cloudevents.h"

namespace weir::wire {

// Why this is no valid event, naming the attribute; nullopt if it is one. Data is not looked at.
std::optional<std::string> find_fault(const Event& event, std::string_view specversion,
                                      const EventLimits& limits);

}  // namespace weir::wire
