// SPDX-License-Identifier: Apache-2.0
#include "base/failpoint.h"

#include <atomic>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <doctest/doctest.h>

namespace weir {
namespace {

// Nothing is configured before and after a test.
struct Failpoints {
  explicit Failpoints(std::string_view text) { REQUIRE(configure_failpoints(text).ok()); }
  ~Failpoints() { (void)configure_failpoints(""); }
};

int failures(std::string_view name, int passages) {
  int count = 0;
  for (int i = 0; i < passages; ++i) count += failpoint(name) ? 1 : 0;
  return count;
}

TEST_CASE("a failpoint fails at its passage, once") {
  const Failpoints set("settle.before=fail@3");
  CHECK_FALSE(failpoint("settle.before"));
  CHECK_FALSE(failpoint("settle.before"));
  CHECK(failpoint("settle.before"));
  CHECK(failures("settle.before", 10) == 0);
}

TEST_CASE("a star means every passage; other names are left alone") {
  const Failpoints set("a=fail@*;b=fail@1");
  CHECK(failures("a", 5) == 5);
  CHECK(failures("b", 5) == 1);
  CHECK(failures("c", 5) == 0);
}

TEST_CASE("configuring again starts over") {
  const Failpoints set("a=fail@1");
  CHECK(failpoint("a"));
  REQUIRE(configure_failpoints("a=fail@2").ok());
  CHECK_FALSE(failpoint("a"));
  CHECK(failpoint("a"));
  REQUIRE(configure_failpoints("").ok());
  CHECK(failures("a", 3) == 0);
}

TEST_CASE("crash ends the process at once with its own exit code") {
  const Failpoints set("a=crash@2");
  const pid_t child = fork();
  if (child == 0) {
    if (failures("a", 1) != 0) _exit(1);
    (void)failpoint("a");
    _exit(2);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 137);
}

TEST_CASE("passages are counted over all threads") {
  const Failpoints set("a=fail@2000");
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { failed += failures("a", 1000); });
  for (auto& thread : threads) thread.join();
  CHECK(failed == 1);
}

TEST_CASE("what is not a failpoint is refused and changes nothing") {
  const Failpoints set("a=fail@*");
  for (const auto* text : {"a", "a=crash", "a@1", "=fail@1", "a=explode@1", "a=fail@", "a=fail@0",
                           "a=fail@-1", "a=fail@1x", "a=fail@**", "b=fail@1;a",
                           "b=fail@1;;c=fail@1", "a@1=fail", "a=fail@99999999999999999999"}) {
    CAPTURE(text);
    const Result<> refused = configure_failpoints(text);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == Code::invalid_argument);
    CHECK(failpoint("a"));
    CHECK_FALSE(failpoint("b"));
  }
}

}  // namespace
}  // namespace weir
