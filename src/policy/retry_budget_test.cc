// SPDX-License-Identifier: Apache-2.0
#include "policy/retry_budget.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "policy/testing/draws.h"
#include "policy/testing/property.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

const MonoTime kStart{1000s};
const RetryConstraintSpec kDefault{20, 10s, 10, 1s};
const RetryConstraintSpec kNoMinimum{20, 10s, 0, 1s};

int spend_all(RetryBudget& budget, MonoTime now) {
  int spent = 0;
  while (spent < 100'000 && budget.try_spend(now)) ++spent;
  return spent;
}

TEST_CASE("the minimum rate is there from the start") {
  RetryBudget budget(kDefault);
  CHECK(budget.balance(kStart) == doctest::Approx(100));
  CHECK(spend_all(budget, kStart) == 100);
  CHECK_FALSE(budget.try_spend(kStart));
}

TEST_CASE("first attempts deposit their share") {
  RetryBudget budget(kNoMinimum);
  CHECK_FALSE(budget.try_spend(kStart));
  for (int i = 0; i < 50; ++i) budget.first_attempt(kStart);
  CHECK(spend_all(budget, kStart) == 10);
  budget.take_back_first(kStart, kStart);
  CHECK(budget.balance(kStart) < 0);
}

TEST_CASE("deposits leave the window, and spending after them") {
  RetryBudget budget(kNoMinimum);
  for (int i = 0; i < 50; ++i) budget.first_attempt(kStart);
  CHECK(spend_all(budget, kStart) == 10);
  CHECK(budget.balance(kStart + 20s) == doctest::Approx(0));
  CHECK_FALSE(budget.try_spend(kStart + 20s));
}

TEST_CASE("the next chance is when spending has left the window") {
  RetryBudget budget(kDefault);
  CHECK(budget.next_chance(kStart) == kStart);
  CHECK(spend_all(budget, kStart) == 100);
  const MonoTime next = budget.next_chance(kStart);
  CHECK(next > kStart + 9s);
  CHECK(next <= kStart + 11s);
  CHECK_FALSE(budget.can_spend(next - 1us));
  CHECK(budget.try_spend(next));
}

TEST_CASE("without a minimum rate the next chance is bounded, since first attempts may come") {
  RetryBudget budget(kNoMinimum);
  CHECK(budget.next_chance(kStart) == kStart + 10s);
}

TEST_CASE("a successful retry gets its charge back, once and not after the window") {
  RetryBudget budget(kDefault);
  CHECK(spend_all(budget, kStart) == 100);
  budget.refund(kStart, kStart + 1s);
  CHECK(spend_all(budget, kStart + 1s) == 1);
  budget.refund(kStart, kStart + 30s);
  CHECK(budget.balance(kStart + 30s) == doctest::Approx(100));
}

TEST_CASE("a refund never exceeds what was spent") {
  RetryBudget budget(kDefault);
  for (int i = 0; i < 10; ++i) budget.refund(kStart, kStart);
  CHECK(budget.balance(kStart) == doctest::Approx(100));
}

TEST_CASE("a minimum rate below one per interval widens the window instead of never giving any") {
  RetryBudget budget({0, 10s, 1, 60s});
  CHECK(budget.window() == 60s);
  CHECK(spend_all(budget, kStart) == 1);
  CHECK(spend_all(budget, kStart + 30s) == 0);
  CHECK(spend_all(budget, kStart + 67s) == 1);
}

TEST_CASE("time that runs backwards breaks nothing") {
  RetryBudget budget(kDefault);
  CHECK(spend_all(budget, kStart) == 100);
  CHECK_FALSE(budget.try_spend(kStart - 60s));
  CHECK_FALSE(budget.try_spend(kStart));
}

struct Event {
  MonoTime at;
  bool first = false;
  bool spent = false;
  bool refunded = false;
};

// In every window that ends at a retry.
void check_bound(const RetryConstraintSpec& spec, Duration window,
                 const std::vector<Event>& events) {
  const double per_second = spec.min_retry_count /
                            std::chrono::duration<double>(spec.min_retry_interval).count();
  const double reserve = per_second * std::chrono::duration<double>(window).count();
  for (std::size_t last = 0; last < events.size(); ++last) {
    if (!events[last].spent) continue;
    double firsts = 0;
    double spent = 0;
    for (std::size_t i = 0; i <= last; ++i) {
      if (events[i].at <= events[last].at - window) continue;
      firsts += events[i].first;
      spent += events[i].spent && !events[i].refunded;
    }
    RC_ASSERT(spent <= spec.percent / 100 * firsts + reserve + 1e-6);
  }
}

TEST_CASE("the bound holds in every window") {
  CHECK(testing::holds("retry budget bound", [] {
    const RetryConstraintSpec spec{*rc::gen::element(0.0, 1.0, 20.0, 100.0),
                                   std::chrono::milliseconds{*rc::gen::inRange(1, 20'000)},
                                   *rc::gen::element(0.0, 1.0, 3.0),
                                   std::chrono::milliseconds{*rc::gen::inRange(200, 20'000)}};
    RetryBudget budget(spec);
    const auto span = budget.window().count();
    MonoTime now{Duration{*rc::gen::inRange<std::int64_t>(-1'000'000'000, 1'000'000'000)}};
    std::vector<Event> events;
    const int steps = *rc::gen::inRange(1, 80);
    testing::Draws draws;
    for (int i = 0; i < steps; ++i) {
      now += Duration{draws.in<std::int64_t>(0, span / 8 + 2)};
      switch (draws.in(0, 3)) {
        case 0:
          budget.first_attempt(now);
          events.push_back({now, true});
          break;
        case 1:
          if (budget.try_spend(now)) events.push_back({now, false, true});
          break;
        default: {
          const auto open = std::find_if(events.begin(), events.end(), [](const Event& event) {
            return event.spent && !event.refunded;
          });
          if (open == events.end()) break;
          // The bound must hold with what was known when the later retries were paid.
          check_bound(spec, budget.window(), events);
          budget.refund(open->at, now);
          open->refunded = true;
          break;
        }
      }
    }
    check_bound(spec, budget.window(), events);
  }));
}

TEST_CASE("next_chance is right: not a moment earlier, and it can be paid then") {
  CHECK(testing::holds("retry budget next chance", [] {
    const RetryConstraintSpec spec{*rc::gen::element(0.0, 20.0), 10s, *rc::gen::element(1.0, 5.0),
                                   1s};
    RetryBudget budget(spec);
    MonoTime now{500s};
    const int steps = *rc::gen::inRange(1, 60);
    testing::Draws draws;
    for (int i = 0; i < steps; ++i) {
      now += std::chrono::milliseconds{draws.in(0, 900)};
      for (int k = draws.in(0, 16); k > 0; --k) (void)budget.try_spend(now);
      if (draws.coin()) budget.first_attempt(now);
    }
    const MonoTime next = budget.next_chance(now);
    RC_ASSERT(next >= now);
    if (next > now) {
      RetryBudget early = budget;
      RC_ASSERT(!early.can_spend(next - 1us));
    }
    RC_ASSERT(budget.try_spend(next));
  }));
}

}  // namespace
}  // namespace weir::policy
