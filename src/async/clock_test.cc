// SPDX-License-Identifier: Apache-2.0
#include "async/clock.h"

#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include "async/testing/virtual_loop.h"

namespace weir::async {
namespace {

using namespace std::chrono_literals;
using testing::VirtualLoop;

// Who woke, in order, with the time since the test began.
struct Wakes {
  MonoTime begin;
  std::vector<std::pair<std::string, Duration>> seen;
};

Task<> sleep_once(Clock* clock, MonoTime deadline, std::string name, Wakes* wakes) {
  co_await clock->sleep_until(deadline);
  wakes->seen.emplace_back(name, clock->mono() - wakes->begin);
}

Task<> tick(Clock* clock, Duration period, int times, std::string name, Wakes* wakes) {
  for (int i = 0; i < times; ++i) {
    co_await clock->sleep_until(clock->mono() + period);
    wakes->seen.emplace_back(name, clock->mono() - wakes->begin);
  }
}

using Seen = std::vector<std::pair<std::string, Duration>>;

TEST_CASE("sleepers wake in the order of their deadlines, at their deadlines") {
  VirtualLoop loop;
  Wakes wakes{loop.clock().mono(), {}};
  loop.start(sleep_once(&loop.clock(), wakes.begin + 3h, "late", &wakes));
  loop.start(sleep_once(&loop.clock(), wakes.begin + 1us, "first", &wakes));
  loop.start(sleep_once(&loop.clock(), wakes.begin + 1h, "middle", &wakes));
  CHECK(loop.run());
  CHECK(wakes.seen == Seen{{"first", 1us}, {"middle", 1h}, {"late", 3h}});
}

TEST_CASE("equal deadlines wake in the order in which they were set") {
  VirtualLoop loop;
  Wakes wakes{loop.clock().mono(), {}};
  for (const auto* name : {"a", "b", "c", "d"}) {
    loop.start(sleep_once(&loop.clock(), wakes.begin + 5s, name, &wakes));
  }
  CHECK(loop.run());
  CHECK(wakes.seen == Seen{{"a", 5s}, {"b", 5s}, {"c", 5s}, {"d", 5s}});
}

TEST_CASE("coroutines that sleep again and again interleave, the same way every time") {
  Seen first;
  for (int round = 0; round < 3; ++round) {
    VirtualLoop loop;
    Wakes wakes{loop.clock().mono(), {}};
    loop.start(tick(&loop.clock(), 20ms, 3, "slow", &wakes));
    loop.start(tick(&loop.clock(), 10ms, 3, "fast", &wakes));
    CHECK(loop.run());
    if (round == 0) first = wakes.seen;
    CHECK(wakes.seen == first);
  }
  CHECK(first == Seen{{"fast", 10ms},
                      {"slow", 20ms},
                      {"fast", 20ms},
                      {"fast", 30ms},
                      {"slow", 40ms},
                      {"slow", 60ms}});
}

TEST_CASE("a deadline that has passed does not suspend") {
  VirtualLoop loop;
  Wakes wakes{loop.clock().mono(), {}};
  loop.start(sleep_once(&loop.clock(), wakes.begin, "now", &wakes));
  loop.start(sleep_once(&loop.clock(), MonoTime{}, "long ago", &wakes));
  loop.poll();
  CHECK(wakes.seen == Seen{{"now", 0s}, {"long ago", 0s}});
}

TEST_CASE("time stands still beyond the limit and before the end of time") {
  VirtualLoop loop;
  Wakes wakes{loop.clock().mono(), {}};
  loop.start(sleep_once(&loop.clock(), wakes.begin + 10s, "ten", &wakes));
  loop.start(sleep_once(&loop.clock(), MonoTime::max(), "never", &wakes));
  CHECK(loop.run(wakes.begin + 9'999ms));
  CHECK(wakes.seen.empty());
  CHECK(loop.clock().mono() == wakes.begin);
  CHECK(loop.run(wakes.begin + 10s));
  CHECK(loop.run());
  CHECK(wakes.seen == Seen{{"ten", 10s}});
  CHECK_FALSE(loop.clock().advance_to_next());
}

TEST_CASE("wall time moves with monotonic time") {
  VirtualLoop loop;
  Wakes wakes{loop.clock().mono(), {}};
  CHECK(to_rfc3339(loop.clock().wall()) == "2026-01-01T00:00:00.000Z");
  loop.start(sleep_once(&loop.clock(), wakes.begin + 25h, "tomorrow", &wakes));
  CHECK(loop.run());
  CHECK(to_rfc3339(loop.clock().wall()) == "2026-01-02T01:00:00.000Z");
}

TEST_CASE("cancelling wakes every sleeper, in order, without time passing; later sleeps return") {
  VirtualLoop loop;
  Wakes wakes{loop.clock().mono(), {}};
  loop.start(sleep_once(&loop.clock(), wakes.begin + 2s, "two", &wakes));
  loop.start(sleep_once(&loop.clock(), wakes.begin + 1s, "one", &wakes));
  loop.start(sleep_once(&loop.clock(), MonoTime::max(), "never", &wakes));
  loop.poll();
  loop.clock().cancel_sleeps();
  loop.poll();
  loop.start(tick(&loop.clock(), 1h, 2, "after", &wakes));
  loop.poll();
  CHECK(wakes.seen == Seen{{"one", 0s}, {"two", 0s}, {"never", 0s}, {"after", 0s}, {"after", 0s}});
}

TEST_CASE("coroutines that still sleep when the loop goes are unwound") {
  auto witness = std::make_shared<int>(0);
  {
    VirtualLoop loop;
    struct Holder {
      static Task<> wait(Clock* clock, std::shared_ptr<int>) {
        co_await clock->sleep_until(MonoTime::max());
      }
    };
    loop.start(Holder::wait(&loop.clock(), witness));
    loop.poll();
    CHECK(witness.use_count() == 2);
  }
  CHECK(witness.use_count() == 1);
}

struct RealLoop {
  boost::asio::io_context io{1};
  std::unique_ptr<Clock> clock = system_clock(io.get_executor());
  void start(Task<> task) {
    boost::asio::co_spawn(io, std::move(task), [](std::exception_ptr failure) {
      if (failure) std::rethrow_exception(failure);
    });
  }
};

TEST_CASE("the machine's clock wakes sleepers in order and not too early") {
  RealLoop loop;
  Wakes wakes{loop.clock->mono(), {}};
  loop.start(sleep_once(loop.clock.get(), wakes.begin + 20ms, "second", &wakes));
  loop.start(sleep_once(loop.clock.get(), wakes.begin + 5ms, "first", &wakes));
  loop.start(sleep_once(loop.clock.get(), MonoTime::min(), "at once", &wakes));
  loop.io.run();
  REQUIRE(wakes.seen.size() == 3);
  CHECK(wakes.seen[0].first == "at once");
  CHECK(wakes.seen[1].first == "first");
  CHECK(wakes.seen[1].second >= 5ms);
  CHECK(wakes.seen[2].first == "second");
  CHECK(wakes.seen[2].second >= 20ms);
}

TEST_CASE("the farthest deadlines do not overflow into the past, and can be cancelled") {
  RealLoop loop;
  Wakes wakes{loop.clock->mono(), {}};
  loop.start(sleep_once(loop.clock.get(), MonoTime::max(), "max", &wakes));
  loop.start(sleep_once(loop.clock.get(), MonoTime::max() - 1us, "almost", &wakes));
  loop.io.poll();
  loop.io.poll();
  CHECK(wakes.seen.empty());
  loop.clock->cancel_sleeps();
  loop.start(sleep_once(loop.clock.get(), MonoTime::max(), "after", &wakes));
  loop.io.run();
  CHECK(wakes.seen.size() == 3);
}

TEST_CASE("the machine's wall clock is of this century and never runs backwards") {
  RealLoop loop;
  WallTime last = loop.clock->wall();
  CHECK(to_rfc3339(last) > "2024");
  CHECK(to_rfc3339(last) < "2100");
  for (int i = 0; i < 1000; ++i) {
    const WallTime now = loop.clock->wall();
    REQUIRE(now >= last);
    last = now;
  }
  CHECK(steady_now() <= steady_now());
}

}  // namespace
}  // namespace weir::async
