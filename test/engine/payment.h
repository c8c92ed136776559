// SPDX-License-Identifier: Apache-2.0
// How a dependency serves one request to pay: it keeps count of what it really executed, and what
// becomes of the request and of its answer on the way is a mishap.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/outcome.h"

namespace weir::engine_test {

enum class Mishap : std::uint8_t {
  none,
  answerLost,   // executed, and nobody hears of it
  answered500,  // executed, and something else went wrong
  requestLost,  // not executed, and nobody hears of it
  notReached,
  throttled,
};
inline constexpr std::uint32_t kMishaps = 6;

// Executes it, or not. One that knows keys executes nothing twice.
Outcome pay(std::uint32_t& executed, bool knows_keys, Mishap mishap);

// The value of Idempotency-Key among complete header lines. Throws if there is none.
std::string key_in(std::string_view headers);

}  // namespace weir::engine_test
