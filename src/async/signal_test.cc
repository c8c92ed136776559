// SPDX-License-Identifier: Apache-2.0
#include "async/signal.h"

#include <vector>

#include <doctest/doctest.h>

#include "async/testing/virtual_loop.h"

namespace weir::async {
namespace {

Task<> wait_times(Signal* signal, int times, int* woken) {
  for (int i = 0; i < times; ++i) {
    co_await signal->wait();
    ++*woken;
  }
}

TEST_CASE("a waiter wakes after the notification, not inside of it") {
  testing::VirtualLoop loop;
  Signal signal(loop.executor());
  int woken = 0;
  loop.start(wait_times(&signal, 1, &woken));
  loop.poll();
  CHECK(woken == 0);
  signal.notify();
  CHECK(woken == 0);
  loop.poll();
  CHECK(woken == 1);
}

TEST_CASE("a notification that nobody waits for is remembered, once") {
  testing::VirtualLoop loop;
  Signal signal(loop.executor());
  int woken = 0;
  signal.notify();
  signal.notify();
  loop.start(wait_times(&signal, 3, &woken));
  loop.poll();
  CHECK(woken == 1);
  signal.notify();
  loop.poll();
  CHECK(woken == 2);
}

TEST_CASE("a second notification before the waiter runs is not lost") {
  testing::VirtualLoop loop;
  Signal signal(loop.executor());
  int woken = 0;
  loop.start(wait_times(&signal, 3, &woken));
  loop.poll();
  signal.notify();
  signal.notify();
  loop.poll();
  CHECK(woken == 2);
}

TEST_CASE("a waiter can be woken many thousand times") {
  testing::VirtualLoop loop;
  Signal signal(loop.executor());
  int woken = 0;
  loop.start(wait_times(&signal, 10'000, &woken));
  for (int i = 0; i < 10'000; ++i) {
    loop.poll();
    signal.notify();
  }
  loop.poll();
  CHECK(woken == 10'000);
}

TEST_CASE("a waiter that is never notified is unwound with its signal") {
  auto witness = std::make_shared<int>(0);
  {
    testing::VirtualLoop loop;
    Signal signal(loop.executor());
    struct Holder {
      static Task<> wait(Signal* on, std::shared_ptr<int>) { co_await on->wait(); }
    };
    loop.start(Holder::wait(&signal, witness));
    loop.poll();
    CHECK(witness.use_count() == 2);
  }
  CHECK(witness.use_count() == 1);
}

}  // namespace
}  // namespace weir::async
