// SPDX-License-Identifier: Apache-2.0
#include "policy/concurrency.h"

#include <doctest/doctest.h>

namespace weir::policy {
namespace {

using namespace std::chrono_literals;
using End = AdaptiveLimit::End;

const MonoTime kStart{1000s};

ConcurrencySpec with_adaptive(std::uint32_t initial, Mode mode = Mode::enforce) {
  ConcurrencySpec spec{.mode = mode, .max_parallel_requests = 64};
  spec.adaptive = {.enabled = true, .initial_limit = initial};
  return spec;
}

std::uint32_t acquire_all(Concurrency& concurrency) {
  while (concurrency.acquire(kStart)) {
  }
  return concurrency.in_flight();
}

TEST_CASE("without an adaptive limit the cap is the limit, and a cap of zero is one") {
  Concurrency plain({.max_parallel_requests = 3});
  CHECK(plain.adaptive() == nullptr);
  CHECK(acquire_all(plain) == 3);
  plain.release(End::dropped, 5s, kStart);
  CHECK(plain.limit() == 3);
  Concurrency zero({.max_parallel_requests = 0});
  CHECK(acquire_all(zero) == 1);
}

TEST_CASE("the adaptive limit is enforced below the cap") {
  Concurrency concurrency(with_adaptive(5));
  CHECK(acquire_all(concurrency) == 5);
  concurrency.release(End::dropped, 1s, kStart);
  CHECK(concurrency.limit() == 4);
  CHECK_FALSE(concurrency.admits());
  CHECK_FALSE(concurrency.would_refuse());  // it does refuse
}

TEST_CASE("in shadow mode only the cap is enforced") {
  Concurrency concurrency(with_adaptive(5, Mode::shadow));
  for (int i = 0; i < 5; ++i) {
    CHECK_FALSE(concurrency.would_refuse());
    CHECK(concurrency.acquire(kStart));
  }
  CHECK(concurrency.would_refuse());
  CHECK(acquire_all(concurrency) == 64);
  CHECK(concurrency.limit() == 64);
  for (int i = 0; i < 64; ++i) concurrency.release(End::dropped, 5s, kStart + 5s);
  REQUIRE(concurrency.adaptive() != nullptr);
  CHECK(concurrency.adaptive()->limit() == 1);
}

TEST_CASE("a declared capacity bounds the adaptive limit, not the cap") {
  Concurrency concurrency(with_adaptive(20));
  concurrency.bound(8);
  CHECK(concurrency.limit() == 8);
  concurrency.bound(0);
  CHECK(concurrency.adaptive()->max() == 64);
  Concurrency plain({.max_parallel_requests = 20});
  plain.bound(8);
  CHECK(plain.limit() == 20);
}

TEST_CASE("new rules: calls under way count on, and what was learned stays") {
  Concurrency concurrency(with_adaptive(10));
  acquire_all(concurrency);
  for (int i = 0; i < 5; ++i) concurrency.release(End::dropped, 5s, kStart);
  const std::uint32_t learned = concurrency.limit();
  CHECK(learned < 10);
  concurrency.update(with_adaptive(30));
  CHECK(concurrency.limit() == learned);
  CHECK(concurrency.in_flight() == 5);
  concurrency.update({.max_parallel_requests = 7});
  CHECK(concurrency.limit() == 7);
  concurrency.update(with_adaptive(30));
  CHECK(concurrency.limit() == 30);
}

}  // namespace
}  // namespace weir::policy
