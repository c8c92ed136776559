// SPDX-License-Identifier: Apache-2.0
// Slow calls, and a breaker that is worked by hand.
#include "policy/breaker.h"
#include "policy/testing/property.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;
using State = Breaker::State;

const MonoTime kStart{1000s};

CircuitBreakerSpec small() {
  CircuitBreakerSpec spec;
  spec.minimum_number_of_calls = 4;
  spec.slow_call_rate_threshold = 50;
  spec.slow_call_duration_threshold = 900ms;
  spec.wait_in_open_jitter = 0;
  return spec;
}

struct Bench {
  explicit Bench(const CircuitBreakerSpec& spec = small()) : breaker(spec) {}
  void call(bool failure, bool slow) {
    Breaker::Epoch epoch = 0;
    REQUIRE_FALSE(breaker.admit(now, epoch));
    breaker.record(epoch, failure, now, rng, slow);
  }
  Breaker breaker;
  MonoTime now = kStart;
  Rng rng{1};
};

TEST_CASE("slow calls open it when they are too many, not before the minimum of calls") {
  Bench bench;
  for (int i = 0; i < 3; ++i) bench.call(false, true);
  CHECK(bench.breaker.state(bench.now) == State::closed);
  bench.call(false, false);
  CHECK(bench.breaker.state(bench.now) == State::open);
  CHECK(bench.breaker.slow_percent(bench.now) == 75);
  CHECK(bench.breaker.refusal(bench.now)->reason ==
        "breaker open for another 5.0 s (75 % of 4 calls took longer than 900 ms)");
  const auto transition = bench.breaker.take_transition();
  CHECK(transition->failure_percent == 0);
  CHECK(transition->slow_percent == 75);
}

TEST_CASE("slow probes open it again, quick ones close it") {
  Bench bench;
  for (int i = 0; i < 4; ++i) bench.call(false, true);
  bench.now += 5s;
  for (int i = 0; i < 3; ++i) bench.call(false, true);
  CHECK(bench.breaker.state(bench.now) == State::open);
  bench.now += 10s;
  for (int i = 0; i < 3; ++i) bench.call(false, false);
  CHECK(bench.breaker.state(bench.now) == State::closed);
}

TEST_CASE("opened by hand, nothing is admitted until then; probes decide afterwards") {
  Bench bench;
  bench.breaker.force_open(bench.now + 60s, bench.now);
  CHECK(bench.breaker.is_forced(bench.now));
  bench.now += 59s;
  CHECK(bench.breaker.refusal(bench.now)->reason == "breaker opened by hand");
  CHECK(bench.breaker.refusal(bench.now)->until == kStart + 60s);
  bench.now += 1s;
  CHECK(bench.breaker.state(bench.now) == State::halfOpen);
  CHECK_FALSE(bench.breaker.is_forced(bench.now));
  for (int i = 0; i < 3; ++i) bench.call(false, false);
  CHECK(bench.breaker.state(bench.now) == State::closed);
}

TEST_CASE("opened by hand and released, it probes at once") {
  Bench bench;
  bench.breaker.force_open(MonoTime::max(), bench.now);
  bench.now += 1h;
  CHECK_FALSE(bench.breaker.admits(bench.now));
  bench.breaker.release(bench.now);
  CHECK(bench.breaker.state(bench.now) == State::halfOpen);
}

TEST_CASE("closed by hand, nothing trips it until then") {
  Bench bench;
  for (int i = 0; i < 4; ++i) bench.call(true, false);
  CHECK(bench.breaker.state(bench.now) == State::open);
  bench.breaker.force_closed(bench.now + 60s, bench.now);
  for (int i = 0; i < 50; ++i) bench.call(true, false);
  CHECK(bench.breaker.state(bench.now) == State::closed);
  bench.now += 60s;
  for (int i = 0; i < 4; ++i) bench.call(true, false);
  CHECK(bench.breaker.state(bench.now) == State::open);
}

TEST_CASE("one that is disabled can be opened by hand, and is closed afterwards") {
  CircuitBreakerSpec spec = small();
  spec.enabled = false;
  Bench bench(spec);
  bench.breaker.force_open(bench.now + 60s, bench.now);
  CHECK_FALSE(bench.breaker.admits(bench.now));
  bench.now += 60s;
  CHECK(bench.breaker.admits(bench.now));
  CHECK(bench.breaker.state(bench.now) == State::closed);
  bench.breaker.force_open(MonoTime::max(), bench.now);
  bench.breaker.release(bench.now);
  CHECK(bench.breaker.state(bench.now) == State::closed);
  CHECK(bench.breaker.ramp_limit(bench.now) == Breaker::kNoRamp);
}

}  // namespace
}  // namespace weir::policy
