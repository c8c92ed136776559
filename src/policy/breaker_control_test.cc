// SPDX-License-Identifier: Apache-2.0
// Slow calls, and a breaker that is worked by hand.
#include "policy/testing/breaker_bench.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;
using State = Breaker::State;

using testing::kStart;

CircuitBreakerSpec small() {
  CircuitBreakerSpec spec = testing::exact_spec();
  spec.minimum_number_of_calls = 4;
  spec.slow_call_rate_threshold = 50;
  spec.slow_call_duration_threshold = 900ms;
  return spec;
}

struct Bench : testing::BreakerBench {
  explicit Bench(const CircuitBreakerSpec& spec = small()) : BreakerBench(spec) {}
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

TEST_CASE("half-open without anybody to probe, it is idle, until somebody does") {
  Bench bench;
  bench.breaker.force_open(bench.now + 5s, bench.now);
  CHECK_FALSE(bench.breaker.is_idle(bench.now));
  bench.now += 5s;
  REQUIRE(bench.breaker.state(bench.now) == State::halfOpen);
  CHECK_FALSE(bench.breaker.is_idle(bench.now));
  bench.now += 10s;
  CHECK(bench.breaker.is_idle(bench.now));
  bench.now += 60s;  // longer than it may be half-open with probes
  CHECK(bench.breaker.is_idle(bench.now));
  bench.call(true);
  CHECK_FALSE(bench.breaker.is_idle(bench.now));
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

TEST_CASE("opened by hand after a good time, its waits begin with the base again") {
  Bench bench;
  bench.calls(4, true);
  bench.now += 5s;
  bench.calls(3, true);
  CHECK(bench.breaker.open_until() == bench.now + 10s);
  bench.now += 10s;
  bench.calls(3, false);
  bench.now += 1h;
  bench.breaker.force_open(bench.now + 60s, bench.now);
  bench.now += 60s;
  bench.calls(3, true);
  CHECK(bench.breaker.open_until() == bench.now + 5s);
}

TEST_CASE(
    "opened by hand, it tells the state and the calls that it left, and that it was by hand") {
  Bench bench;
  bench.calls(3, true);
  bench.breaker.force_open(bench.now + 60s, bench.now);
  const auto opened = bench.breaker.take_transition();
  REQUIRE(opened);
  CHECK(opened->by_hand);
  CHECK(opened->from == State::closed);
  CHECK(opened->calls == 3);
  CHECK(opened->open_until == kStart + 60s);
  // What probes find out is not by hand any more.
  bench.now += 60s;
  bench.calls(3, true);
  const auto half_open = bench.breaker.take_transition();
  REQUIRE(half_open);
  CHECK_FALSE(half_open->by_hand);
  REQUIRE(bench.breaker.refusal(bench.now));
  CHECK(bench.breaker.refusal(bench.now)->reason ==
        "breaker open for another 5.0 s (100 % of 3 calls failed)");
}

TEST_CASE("forgotten, it is closed and calls under way change nothing") {
  Bench bench;
  bench.calls(4, true);
  REQUIRE(bench.breaker.state(bench.now) == State::open);
  bench.now = bench.breaker.open_until();
  const Breaker::Epoch probe = bench.admit();
  bench.breaker.forget(bench.now);
  CHECK(bench.breaker.state(bench.now) == State::closed);
  CHECK(bench.breaker.ramp_limit(bench.now) == Breaker::kNoRamp);
  bench.breaker.record(probe, true, bench.now, bench.rng);
  CHECK(bench.breaker.calls(bench.now) == 0);
  bench.calls(4, true);
  CHECK(bench.breaker.open_until() == bench.now + 5s);  // the base wait again
}

TEST_CASE("released or closed by hand, it never says that it was opened by hand") {
  Bench bench;
  bench.breaker.force_open(MonoTime::max(), bench.now);
  CHECK(bench.breaker.refusal(bench.now)->until == MonoTime::max());
  bench.breaker.release(bench.now);
  for (int i = 0; i < 3; ++i) bench.admit();
  CHECK(bench.breaker.refusal(bench.now)->reason == "breaker half-open: 3 probes decide");
  bench.breaker.force_open(bench.now + 60s, bench.now);
  bench.breaker.force_closed(bench.now + 60s, bench.now);
  CHECK(bench.breaker.admits(bench.now));
  CHECK(bench.breaker.ramp_limit(bench.now) == Breaker::kNoRamp);
  bench.now += 60s;
  bench.calls(4, true);
  CHECK(bench.breaker.refusal(bench.now)->reason ==
        "breaker open for another 5.0 s (100 % of 4 calls failed)");
}

}  // namespace
}  // namespace weir::policy
