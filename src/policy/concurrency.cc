// SPDX-License-Identifier: Apache-2.0
#include "policy/concurrency.h"

#include <algorithm>

#include "base/assert.h"

namespace weir::policy {

Concurrency::Concurrency(const ConcurrencySpec& spec)
    : limit_(std::max(spec.max_parallel_requests, 1u)) {}

void Concurrency::update(const ConcurrencySpec& spec) {
  limit_ = std::max(spec.max_parallel_requests, 1u);
}

bool Concurrency::admits(std::uint32_t at_most) const {
  return in_flight_ < std::min(limit_, at_most);
}

bool Concurrency::acquire(std::uint32_t at_most) {
  if (!admits(at_most)) return false;
  ++in_flight_;
  return true;
}

void Concurrency::release() {
  WEIR_ASSERT(in_flight_ > 0);
  --in_flight_;
}

}  // namespace weir::policy
