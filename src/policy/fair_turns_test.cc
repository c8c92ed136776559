// SPDX-License-Identifier: Apache-2.0
#include "policy/fair_turns.h"

#include <array>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "policy/testing/property.h"

namespace weir::policy {
namespace {

struct Competitor {
  double weight;
  FairTurns::Share share{};
  int turns = 0;
};

void turn(FairTurns& order, std::vector<Competitor*> wanting) {
  Competitor& next = **std::ranges::min_element(
      wanting, {}, [&](const Competitor* one) { return order.start(one->share); });
  order.served(next.share, next.weight);
  ++next.turns;
}

TEST_CASE("fair turns: shares follow the weights") {
  FairTurns order;
  Competitor low{1}, normal{4}, high{16};
  for (int i = 0; i < 2100; ++i) turn(order, {&low, &normal, &high});
  CHECK(std::abs(low.turns - 100) <= 1);
  CHECK(std::abs(normal.turns - 400) <= 1);
  CHECK(std::abs(high.turns - 1600) <= 1);
}

TEST_CASE("fair turns: equals take turns, and one alone has all of them") {
  FairTurns order;
  Competitor a{4}, b{4};
  for (int i = 0; i < 10; ++i) turn(order, {&a, &b});
  CHECK(a.turns == 5);
  for (int i = 0; i < 1000; ++i) turn(order, {&a});
  CHECK(a.turns == 1005);
  for (int i = 0; i < 10; ++i) turn(order, {&a, &b});  // b has nothing saved up
  CHECK(a.turns >= 1005 + 4);
  CHECK(b.turns >= 5 + 4);
}

TEST_CASE("fair turns: between two turns of one, another gets no more than its weight allows") {
  testing::holds("between two turns", [] {
    FairTurns order;
    const auto weights = *rc::gen::container<std::vector<int>>(4, rc::gen::inRange(1, 17));
    std::vector<Competitor> all;
    for (const int weight : weights) all.push_back({static_cast<double>(weight)});
    std::vector<Competitor*> wanting;
    for (Competitor& one : all) wanting.push_back(&one);
    for (int i = 0; i < 20; ++i) turn(order, {wanting[0], wanting[1]});  // the others come later
    std::array<std::array<int, 4>, 4> since{};  // [of one][turns of another since]
    for (int i = 0; i < 100; ++i) {
      std::vector<int> before;
      for (const Competitor& one : all) before.push_back(one.turns);
      turn(order, wanting);
      for (std::size_t other = 0; other < 4; ++other) {
        if (all[other].turns == before[other]) continue;
        since[other].fill(0);
        for (std::size_t one = 0; one < 4; ++one) {
          if (one == other) continue;
          ++since[one][other];
          RC_ASSERT(since[one][other] <=
                    static_cast<int>(std::ceil(all[other].weight / all[one].weight)) + 1);
        }
      }
    }
  });
}

}  // namespace
}  // namespace weir::policy
