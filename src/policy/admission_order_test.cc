// SPDX-License-Identifier: Apache-2.0
#include "policy/admission_order.h"

#include <algorithm>
#include <array>

#include "policy/testing/draws.h"
#include "policy/testing/property.h"

namespace weir::policy {
namespace {

using Ready = AdmissionOrder::Ready;

std::array<int, kWorkCount> serve(AdmissionOrder& order, const Ready& ready, int turns) {
  std::array<int, kWorkCount> served{};
  for (int i = 0; i < turns; ++i) {
    const auto work = order.next(ready);
    REQUIRE(work);
    order.served(*work, ready);
    ++served[static_cast<std::size_t>(*work)];
  }
  return served;
}

TEST_CASE("shares by weight, live first") {
  AdmissionOrder order({8, 3, 1});
  CHECK(order.next({true, true, true}) == Work::first);
  CHECK(serve(order, {true, true, true}, 12) == std::array{8, 3, 1});
  CHECK(serve(order, {true, true, true}, 1200) == std::array{800, 300, 100});
}

TEST_CASE("whoever is alone gets everything; nobody ready, nobody next") {
  AdmissionOrder order;
  CHECK(serve(order, {false, false, true}, 50) == std::array{0, 0, 50});
  CHECK(serve(order, {false, true, false}, 50) == std::array{0, 50, 0});
  CHECK_FALSE(order.next({false, false, false}));
}

TEST_CASE("who had nothing to do for long saves up nothing") {
  AdmissionOrder order({8, 3, 1});
  serve(order, {true, false, false}, 1000);
  CHECK(serve(order, {true, false, true}, 9) == std::array{8, 0, 1});
}

TEST_CASE("a refused kind is left out without losing its turn") {
  AdmissionOrder order({8, 3, 1});
  CHECK(order.next({true, true, true}) == Work::first);
  CHECK(order.next({false, true, true}) == Work::retry);
  CHECK(order.next({true, true, true}) == Work::first);
}

TEST_CASE("work-conserving, and nobody starves") {
  CHECK(testing::holds("admission order is fair", [] {
    AdmissionOrder::Weights weights{};
    testing::Draws draws;
    for (auto& weight : weights) weight = draws.in(1, 20);
    AdmissionOrder order(weights);
    int total = 0;
    for (const auto weight : weights) total += weight;
    const auto patient = draws.in<std::size_t>(0, kWorkCount);
    const int bound = 2 * ((total + weights[patient] - 1) / weights[patient]);
    const bool always_patient_only_at_end = draws.coin();
    int waited = 0;
    int longest = 0;
    for (int turn = 0; turn < 60; ++turn) {
      Ready ready{};
      for (auto& one : ready) one = draws.coin();
      const bool watch = !always_patient_only_at_end || turn > 30;
      if (watch) ready[patient] = true;
      const auto work = order.next(ready);
      if (!work && ready == Ready{}) continue;
      RC_ASSERT(work && ready[static_cast<std::size_t>(*work)]);
      order.served(*work, ready);
      waited = watch && static_cast<std::size_t>(*work) != patient ? waited + 1 : 0;
      longest = std::max(longest, waited);
    }
    RC_ASSERT(longest < bound);
  }));
}

}  // namespace
}  // namespace weir::policy
