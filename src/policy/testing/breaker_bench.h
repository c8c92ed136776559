// SPDX-License-Identifier: Apache-2.0
// One breaker, its time, and calls that it must admit.
#pragma once

#include <doctest/doctest.h>

#include "policy/breaker.h"

namespace weir::policy::testing {

// Its first moment.
inline constexpr MonoTime kStart{std::chrono::seconds{1000}};

// The defaults, and waits that are exact.
inline CircuitBreakerSpec exact_spec() {
  CircuitBreakerSpec spec;
  spec.wait_in_open_jitter = 0;
  return spec;
}

struct BreakerBench {
  explicit BreakerBench(const CircuitBreakerSpec& spec = exact_spec()) : breaker(spec) {}

  Breaker::Epoch admit() {
    Breaker::Epoch epoch = 0;
    REQUIRE_FALSE(breaker.admit(now, epoch));
    return epoch;
  }
  void call(bool failure, bool slow = false) { breaker.record(admit(), failure, now, rng, slow); }
  void calls(int count, bool failure, bool slow = false) {
    for (int i = 0; i < count; ++i) call(failure, slow);
  }
  // By as many failures as the defaults take.
  void open() {
    calls(20, true);
    REQUIRE(breaker.state(now) == Breaker::State::open);
  }

  Breaker breaker;
  MonoTime now = kStart;
  Rng rng{1};
};

}  // namespace weir::policy::testing
