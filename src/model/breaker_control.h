// SPDX-License-Identifier: Apache-2.0
// What a person said the breaker of a dependency shall be, whatever its calls say.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace weir {

enum class BreakerOrder : std::uint8_t { automatic, open, closed };
std::string_view to_text(BreakerOrder order);  // "auto", "open", "closed"
std::optional<BreakerOrder> parse_breaker_order(std::string_view text);

struct BreakerControl {
  BreakerOrder order = BreakerOrder::automatic;
  WallTime since{};
  WallTime until{};  // epoch zero = until somebody says otherwise
  std::string actor;
  std::string reason;
  bool operator==(const BreakerControl&) const = default;
};

// How it is kept in the store. nullopt for what encode() did not make.
std::string encode(const BreakerControl& control);
std::optional<BreakerControl> decode_breaker_control(std::string_view text);

}  // namespace weir
