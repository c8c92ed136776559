// SPDX-License-Identifier: Apache-2.0
// What tests of the classification table have in common.
#pragma once

#include <string>
#include <utility>

#include "policy/classify.h"

namespace weir::policy::testing {

inline const WallTime kNow = from_micros(1'795'000'000'000'000);
using Header = std::pair<std::string, std::string>;

// "R" retryable, "I" only if idempotent, "B" breaker, "L" limiter, "D" in doubt.
inline std::string flags(const Classification& result) {
  std::string text;
  if (result.retryable) text += 'R';
  if (result.needs_idempotent) text += 'I';
  if (result.counts_breaker) text += 'B';
  if (result.counts_limiter) text += 'L';
  if (result.in_doubt) text += 'D';
  return text;
}

}  // namespace weir::policy::testing
