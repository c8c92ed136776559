// SPDX-License-Identifier: Apache-2.0
#include "async/task_group.h"

#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "async/testing/virtual_loop.h"

namespace weir::async {
namespace {

using namespace std::chrono_literals;
using testing::VirtualLoop;

Task<> nap(Clock* clock, Duration time, int* ended) {
  co_await clock->sleep_until(clock->mono() + time);
  ++*ended;
}

Task<> spawn_more(TaskGroup* group, Clock* clock, int generations, int* ended) {
  co_await clock->sleep_until(clock->mono() + 1s);
  if (generations > 1) group->spawn(spawn_more(group, clock, generations - 1, ended));
  ++*ended;
}

Task<> join(TaskGroup* group, bool* joined) {
  co_await group->join();
  *joined = true;
}

Task<> fail() {
  throw std::runtime_error("a bug");
  co_return;
}

TEST_CASE("join returns when the last child has ended") {
  VirtualLoop loop;
  TaskGroup group(loop.executor());
  int ended = 0;
  bool joined = false;
  const MonoTime begin = loop.clock().mono();
  for (int i = 1; i <= 3; ++i) group.spawn(nap(&loop.clock(), i * 1s, &ended));
  CHECK(group.size() == 3);
  loop.start(join(&group, &joined));
  loop.run(begin + 2s);
  CHECK(ended == 2);
  CHECK(group.size() == 1);
  CHECK_FALSE(joined);
  loop.run();
  CHECK(ended == 3);
  CHECK(group.size() == 0);
  CHECK(joined);
}

TEST_CASE("join waits for children that children spawn") {
  VirtualLoop loop;
  TaskGroup group(loop.executor());
  int ended = 0;
  bool joined = false;
  group.spawn(spawn_more(&group, &loop.clock(), 5, &ended));
  loop.start(join(&group, &joined));
  loop.run();
  CHECK(ended == 5);
  CHECK(joined);
}

TEST_CASE("an empty group is joined at once, and a group can be used again") {
  VirtualLoop loop;
  TaskGroup group(loop.executor());
  int ended = 0;
  for (int round = 1; round <= 3; ++round) {
    bool joined = false;
    loop.start(join(&group, &joined));
    loop.poll();
    CHECK(joined);
    group.spawn(nap(&loop.clock(), 1s, &ended));  // ends without a waiter: its wake-up is stale
    loop.run();
    CHECK(ended == round);
    group.spawn(nap(&loop.clock(), 1s, &ended));
    joined = false;
    loop.start(join(&group, &joined));
    loop.poll();
    CHECK_FALSE(joined);
    loop.run();
    CHECK(joined);
    ended = round;
  }
}

// True if a child process that runs `act` is ended by a signal.
bool dies(void (*act)()) {
  const pid_t child = fork();
  if (child == 0) {
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(1);
    for (const int number : {SIGTRAP, SIGILL, SIGABRT}) std::signal(number, SIG_DFL);
    act();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status);
}

TEST_CASE("an exception that leaves a child ends the process") {
  CHECK(dies([] {
    VirtualLoop loop;
    TaskGroup group(loop.executor());
    group.spawn(fail());
    const auto run = [&]() noexcept { loop.poll(); };  // as main does: nobody catches
    run();
  }));
}

TEST_CASE("a group that goes before its children is a bug, and traps") {
  CHECK(dies([] {
    VirtualLoop loop;
    TaskGroup group(loop.executor());
    int ended = 0;
    group.spawn(nap(&loop.clock(), 1s, &ended));
    loop.poll();
  }));
  CHECK_FALSE(dies([] {
    VirtualLoop loop;
    TaskGroup group(loop.executor());
    int ended = 0;
    group.spawn(nap(&loop.clock(), 1s, &ended));
    loop.run();
  }));
}

}  // namespace
}  // namespace weir::async
