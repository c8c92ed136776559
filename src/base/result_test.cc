// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <csignal>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

namespace weir {
namespace {

Error missing() { return {Code::not_found, "no file 'x'", "create it"}; }

Result<int> half(int number) {
  if (number % 2 != 0) return Error{Code::invalid_argument, "odd", ""};
  return number / 2;
}

Result<int> quarter(int number) {
  WEIR_TRY(const int once, half(number));
  WEIR_TRY(const int twice, half(once));
  return twice;
}

Result<> all_even(int a, int b) {
  WEIR_CHECK(half(a));
  WEIR_CHECK(half(b));
  return {};
}

Result<std::unique_ptr<int>> boxed(int number) {
  WEIR_TRY(auto value, half(number));
  return std::make_unique<int>(value);
}

// The signal that ends a child process which runs `act`; 0 if it ended by itself.
template <class Act>
int signal_of(Act act) {
  const pid_t child = fork();
  if (child == 0) {
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(1);
    for (const int number : {SIGTRAP, SIGILL, SIGABRT}) std::signal(number, SIG_DFL);
    act();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST_CASE("a result holds a value or an error") {
  const Result<int> good = half(8);
  CHECK(good.ok());
  CHECK(static_cast<bool>(good));
  CHECK(*good == 4);

  const Result<int> bad = half(7);
  CHECK_FALSE(bad.ok());
  CHECK_FALSE(static_cast<bool>(bad));
  CHECK(bad.error().code == Code::invalid_argument);
  CHECK(bad.error().detail == "odd");

  CHECK(Result<>{}.ok());
  CHECK_FALSE(Result<>(missing()).ok());
  CHECK(Result<>(missing()).error().hint == "create it");
}

TEST_CASE("WEIR_TRY hands the value on or leaves with the error") {
  CHECK(*quarter(12) == 3);
  CHECK(quarter(6).error().detail == "odd");
  CHECK(quarter(5).error().detail == "odd");
}

TEST_CASE("WEIR_CHECK leaves with the first error") {
  CHECK(all_even(2, 4).ok());
  CHECK_FALSE(all_even(1, 4).ok());
  CHECK_FALSE(all_even(4, 1).ok());
}

TEST_CASE("values that can only be moved pass through") {
  Result<std::unique_ptr<int>> made = boxed(10);
  REQUIRE(made.ok());
  CHECK(**made == 5);
  const std::unique_ptr<int> taken = std::move(made).value();
  CHECK(*taken == 5);
}

TEST_CASE("asking for what is not there traps") {
  CHECK(signal_of([] { (void)half(8).value(); }) == 0);
  CHECK(signal_of([] { (void)half(7).value(); }) != 0);
  CHECK(signal_of([] { (void)half(8).error(); }) != 0);
  CHECK(signal_of([] { (void)Result<>{}.error(); }) != 0);
  CHECK(signal_of([] { WEIR_ASSERT(1 + 1 == 2); }) == 0);
  CHECK(signal_of([] { WEIR_ASSERT(1 + 1 == 3); }) != 0);
}

}  // namespace
}  // namespace weir
