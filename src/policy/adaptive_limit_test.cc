// SPDX-License-Identifier: Apache-2.0
#include "policy/adaptive_limit.h"

#include <cmath>
#include <functional>
#include <vector>

#include "policy/testing/draws.h"
#include "policy/testing/property.h"
#include "policy/testing/queueing_server.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::QueueingServer;
using End = AdaptiveLimit::End;

const MonoTime kStart{1000s};

AdaptiveSpec adaptive(std::uint32_t min = 1, std::uint32_t initial = 20, std::uint32_t max = 200) {
  return {.enabled = true, .min_limit = min, .max_limit = max, .initial_limit = initial};
}

// Calls by hand: all of one moment start, then end.
struct Rounds {
  AdaptiveLimit limit;
  MonoTime now = kStart;

  void round(std::uint32_t calls, Duration latency, End end = End::served) {
    for (std::uint32_t i = 1; i <= calls; ++i) limit.started(i, now);
    now += latency;
    for (std::uint32_t i = calls; i > 0; --i) limit.ended(end, latency, i, now);
  }
};

TEST_CASE("bounds: spec, hard cap, and a minimum above the cap") {
  CHECK(AdaptiveLimit(adaptive(1, 20, 200), 64).limit() == 20);
  CHECK(AdaptiveLimit(adaptive(1, 20, 200), 8).limit() == 8);
  CHECK(AdaptiveLimit(adaptive(30, 20, 200), 64).limit() == 30);
  CHECK(AdaptiveLimit(adaptive(30, 20, 200), 8).limit() == 8);
  CHECK(AdaptiveLimit(adaptive(0, 0, 0), 0).limit() == 1);
}

TEST_CASE("a throttle or timeout takes a tenth at once, at least a half; the minimum holds") {
  Rounds rounds{AdaptiveLimit(adaptive(2, 100), 200)};
  rounds.round(1, 1ms, End::dropped);
  CHECK(rounds.limit.limit() == 90);
  for (int i = 0; i < 40; ++i) rounds.round(1, 1ms, End::dropped);
  CHECK(rounds.limit.limit() == 2);
}

TEST_CASE("rejects and cancels are neither fast samples nor drops") {
  Rounds rounds{AdaptiveLimit(adaptive(), 200)};
  for (int i = 0; i < 100; ++i) rounds.round(20, 100ms);
  const std::uint32_t before = rounds.limit.limit();
  const Duration base = rounds.limit.base();
  // A hundred windows of answers that came at once because nobody worked for them.
  for (int i = 0; i < 10'000; ++i) rounds.round(20, 10ms, End::ignored);
  CHECK(rounds.limit.limit() == before);
  CHECK(rounds.limit.base() == base);
}

TEST_CASE("constant timeouts end at the minimum and stay there") {
  AdaptiveLimit limit(adaptive(), 200);
  QueueingServer server(20, 3600s);
  Caller caller(limit, server, 5s);
  caller.run_for(20s);  // four rounds
  CHECK(limit.limit() == 1);
  caller.run_for(600s);
  CHECK(limit.limit() == 1);
}

TEST_CASE("constant latency without a queue grows to the bound and stays") {
  AdaptiveLimit limit(adaptive(), 64);
  QueueingServer server(80, 200ms);
  Caller caller(limit, server, 10s);
  caller.run_for(60s);
  for (int i = 0; i < 100; ++i) {
    caller.run_for(1s);
    CHECK((limit.limit() == 64 || limit.probing()));
  }
}

TEST_CASE("a dependency that becomes slower for good is not throttled for ever") {
  AdaptiveLimit limit(adaptive(), 200);
  QueueingServer server(50, 40ms);
  server.set_jitter(0.2);
  Caller caller(limit, server, 10s);
  caller.run_for(60s);
  server.set_service(120ms);
  caller.run_for(60s);
  caller.take_served();
  caller.run_for(30s);
  CHECK(caller.take_served() > 30 * 50 * 1000 / 120 * 95 / 100);
}

TEST_CASE("a base measured behind a queue is found out by a probe") {
  AdaptiveLimit limit(adaptive(), 200);  // 20 calls at once from the start, for one worker
  QueueingServer server(1, 10ms);
  server.set_jitter(0.1);
  Caller caller(limit, server, 10s);
  caller.run_for(60s);
  CHECK(limit.limit() <= 7);
  CHECK(limit.base() < 15ms);
}

TEST_CASE("a quiet time is no window") {
  Rounds rounds{AdaptiveLimit(adaptive(), 200)};
  for (int i = 0; i < 30; ++i) rounds.round(20, 100ms);
  const std::uint32_t before = rounds.limit.limit();
  rounds.now += 24h;
  rounds.round(1, 10ms);  // would be a window with one call in flight
  CHECK(rounds.limit.limit() == before);
}

TEST_CASE("new bounds keep what was learned, as far as it fits") {
  AdaptiveLimit limit(adaptive(1, 100), 200);
  limit.update(adaptive(1, 5), 200);
  CHECK(limit.limit() == 100);
  limit.update(adaptive(1, 5), 30);
  CHECK(limit.limit() == 30);
  limit.update(adaptive(60, 60), 200);
  CHECK(limit.limit() == 60);
}

TEST_CASE("property: in its bounds after every call of any sequence") {
  CHECK(testing::holds("adaptive limit bounds", [] {
    testing::Draws draws;
    const auto min = draws.in(0u, 30u);
    const auto most = draws.in(1u, 60u);
    auto spec = adaptive(min, draws.in(0u, 80u), draws.in(1u, 80u));
    spec.recent_window = draws.one_of<Duration>({100ms, 1s});
    AdaptiveLimit limit(spec, most);
    const std::uint32_t top = std::min(most, spec.max_limit);
    const std::uint32_t bottom = std::min(std::max(min, 1u), top);
    std::uint32_t in_flight = 0;
    MonoTime now = kStart;
    for (int i = *rc::gen::inRange(0, 40); i > 0; --i) {
      const auto calls = draws.in(1u, 30u);
      std::uint32_t least = top;
      std::uint32_t greatest = bottom;
      const Duration latency{draws.one_of({0, 1, 900, 20'000, 200'000, 5'000'000})};
      const auto end = draws.one_of({End::served, End::served, End::dropped, End::ignored});
      for (std::uint32_t c = 0; c < calls; ++c) limit.started(++in_flight, now);
      now += latency;
      for (std::uint32_t c = 0; c < calls; ++c) {
        limit.ended(end, latency, in_flight--, now);
        least = std::min(least, limit.limit());
        greatest = std::max(greatest, limit.limit());
      }
      RC_ASSERT(least >= bottom);
      RC_ASSERT(greatest <= top);
    }
  }));
}

TEST_CASE("property: never grows while less than half of it is in flight") {
  CHECK(testing::holds("adaptive limit under-used", [] {
    testing::Draws draws;
    Rounds rounds{AdaptiveLimit(adaptive(1, draws.in(3u, 100u)), 200)};
    std::uint32_t before = rounds.limit.limit();
    for (int i = *rc::gen::inRange(1, 40); i > 0; --i) {
      const std::uint32_t below_half = (rounds.limit.limit() - 1) / 2;
      if (below_half == 0) return;
      rounds.round(draws.in(1u, below_half + 1), Duration{draws.in(1, 400'000)});
      RC_ASSERT(rounds.limit.limit() <= before);
      before = rounds.limit.limit();
    }
  }));
}

TEST_CASE("property: under constant timeouts it never climbs, and ends at the minimum") {
  CHECK(testing::holds("adaptive limit timeouts", [] {
    const std::uint32_t min = *rc::gen::inRange(1u, 10u);
    Rounds rounds{AdaptiveLimit(adaptive(min, *rc::gen::inRange(10u, 200u)), 200)};
    const Duration timeout{*rc::gen::inRange(1, 30'000'000)};
    for (int round = 0; round < 40; ++round) {
      const std::uint32_t before = rounds.limit.limit();
      rounds.round(before, timeout, End::dropped);
      RC_ASSERT(rounds.limit.limit() <= before);
      if (round >= 8) RC_ASSERT(rounds.limit.limit() == min);
    }
  }));
}

TEST_CASE("property: never above five times of what is in flight, once that was seen") {
  CHECK(testing::holds("adaptive limit and use", [] {
    testing::Draws draws;
    Rounds rounds{AdaptiveLimit(adaptive(), 200)};
    const auto calls = draws.in(1u, 20u);
    const Duration latency{draws.in(50'000, 1'000'000)};
    const auto seen = 1'000'000 / latency.count() + 50 / calls + 2;
    for (std::int64_t i = 0; i < 2 * seen; ++i) {
      rounds.round(std::min(calls, rounds.limit.limit()), latency);
      if (i >= seen) RC_ASSERT(rounds.limit.limit() <= 5 * calls);
    }
  }));
}

// Workers with one queue, always as many calls as the limit allows: with n of them under way each
// takes n / workers times as long as one that need not wait, and no longer than the timeout.
class ClosedLoop {
 public:
  ClosedLoop(std::uint32_t initial, std::uint32_t workers, Duration service)
      : rounds_{AdaptiveLimit(adaptive(1, initial), 200)}, workers_(workers), service_(service) {}

  void set_workers(std::uint32_t workers) { workers_ = workers; }
  void set_timeout(Duration timeout) { timeout_ = timeout; }
  // A window of the limit lasts at least a second, and as long as 50 answers take.
  void run_for(int windows) {
    for (; windows > 0; --windows) {
      const MonoTime end = rounds_.now + 1s;
      for (std::uint32_t answers = 0; answers < 50 || rounds_.now < end;) {
        const std::uint32_t calls = rounds_.limit.limit();
        const Duration takes = service_ * std::max(calls, workers_) / workers_;
        const bool late = takes > timeout_;
        rounds_.round(calls, std::min(takes, timeout_), late ? End::dropped : End::served);
        answers += calls;
      }
    }
  }
  std::uint32_t limit() const { return rounds_.limit.limit(); }
  bool probing() const { return rounds_.limit.probing(); }

 private:
  Rounds rounds_;
  std::uint32_t workers_;
  Duration service_;
  Duration timeout_ = 10min;
};

// What runs without a queue, and the 6 steps of queue that Vegas tolerates.
double tolerated(std::uint32_t workers) { return workers + 6 * std::log10(200.0); }

TEST_CASE("property: constant latency converges to what runs without a queue, and stays there") {
  CHECK(testing::holds("adaptive limit follows a constant", [] {
    testing::Draws draws;
    const auto workers = draws.in(3u, 20u);
    const Duration service{draws.in(300'000, 900'000)};
    ClosedLoop loop(std::max(workers / draws.in(1u, 4u), 1u), workers, service);
    loop.run_for(5);
    for (int window = 0; window < 3; ++window) {
      loop.run_for(1);
      RC_ASSERT(loop.limit() <= tolerated(workers));
      RC_ASSERT(loop.limit() >= workers || loop.probing());
    }
  }));
}

TEST_CASE("property: after a drop of the capacity by half it has halved within five windows") {
  CHECK(testing::holds("adaptive limit follows a step", [] {
    testing::Draws draws;
    const auto workers = draws.in(30u, 60u);
    const Duration service{draws.in(300'000, 900'000)};
    ClosedLoop loop(workers, workers, service);
    loop.run_for(2);
    RC_ASSERT(loop.limit() >= workers || loop.probing());
    // Late or slow: what no longer fits times out, or it only takes longer.
    if (draws.coin()) loop.set_timeout(service * 3 / 2);
    loop.set_workers(workers / 2);
    loop.run_for(5);
    RC_ASSERT(loop.limit() <= tolerated(workers / 2));
    RC_ASSERT(loop.limit() >= workers / 8);
  }));
}

// Call by call, with noise: what the arithmetic of the two properties above leaves out. 10,000 of
// these take a minute of an optimised build: RC_PARAMS="max_success=10000".
constexpr int kSimulations = 5;

struct Simulated {
  std::size_t workers = *rc::gen::inRange<std::size_t>(4, 60);
  Duration service{*rc::gen::inRange(20'000, 200'000)};
  double jitter = *rc::gen::element(0.05, 0.2, 0.5);
  AdaptiveLimit limit{adaptive(), 200};
  QueueingServer server{workers, service};
  Caller caller{limit, server, 10s};

  Simulated() {
    server.set_jitter(jitter);
    caller.run_for(45s);
  }
  double capacity(std::size_t running) const {
    return static_cast<double>(running) * 1e6 / static_cast<double>(service.count());
  }
};

// What is in flight without a queue, and the 6 steps of queue that Vegas tolerates (a step is less
// than 2 here), more by half for the noise of a quantile.
std::uint32_t at_most(std::size_t workers) {
  return static_cast<std::uint32_t>(static_cast<double>(workers + 12) * 1.5);
}

TEST_CASE("simulated: constant latency converges, stays, and wastes little") {
  CHECK(testing::holds(
      "adaptive limit converges",
      [] {
        Simulated sim;
        sim.caller.take_served();
        for (int i = 0; i < 20; ++i) {
          sim.caller.run_for(1s);
          RC_ASSERT(sim.limit.limit() <= at_most(sim.workers));
        }
        const auto served = static_cast<double>(sim.caller.take_served());
        RC_ASSERT(served >= 0.85 * 20 * sim.capacity(sim.workers));
        RC_ASSERT(sim.caller.take_dropped() == 0u);
      },
      kSimulations));
}

// Half of the workers go. Five windows later the limit follows from the half, and every call of the
// sixth is back under a timeout of 4 service times of a call that need not wait.
TEST_CASE("simulated: a capacity step of minus a half is followed within five windows") {
  CHECK(testing::holds(
      "adaptive limit capacity step",
      [] {
        Simulated sim;
        const std::uint32_t before = sim.limit.limit();
        sim.server.set_workers(sim.workers / 2);
        sim.caller.run_for(5s);
        sim.caller.take_longest();
        RC_ASSERT(sim.limit.limit() <= at_most(sim.workers / 2));
        sim.caller.run_for(1s);
        if (sim.workers >= 20) RC_ASSERT(sim.caller.take_longest() < 4 * sim.service);
        RC_LOG() << before << " -> " << sim.limit.limit();
      },
      kSimulations));
}

}  // namespace
}  // namespace weir::policy
