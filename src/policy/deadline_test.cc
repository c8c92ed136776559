// SPDX-License-Identifier: Apache-2.0
#include "policy/deadline.h"

#include "policy/testing/property.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

const WallTime kStart = from_micros(1'795'000'000'000'000);

Event with_expiry(std::string_view text) {
  Event event;
  event.extensions.push_back({"expirytime", text});
  return event;
}

TEST_CASE("the event's deadline is the earlier of policy and expirytime") {
  const TimeoutsSpec day{500ms, 1s, 24h};
  const WallTime by_policy = kStart + 24h;
  CHECK(event_deadline(day, {}, kStart) == by_policy);
  CHECK(event_deadline(day, with_expiry(to_rfc3339(kStart + 1h)), kStart) == kStart + 1h);
  CHECK(event_deadline(day, with_expiry(to_rfc3339(kStart + 48h)), kStart) == by_policy);
  CHECK(event_deadline(day, with_expiry("tomorrow"), kStart) == by_policy);
}

TEST_CASE("no timeouts.event means expirytime alone, or none") {
  const TimeoutsSpec none{500ms, 1s, 0s};
  CHECK(event_deadline(none, {}, kStart) == WallTime{});
  CHECK(event_deadline(none, with_expiry(to_rfc3339(kStart + 1h)), kStart) == kStart + 1h);
  CHECK(event_deadline({500ms, 1s, Duration::max()}, {}, kStart) == WallTime::max());
}

TEST_CASE("an expiry at the epoch has passed and is not none") {
  const WallTime deadline = event_deadline({}, with_expiry("1970-01-01T00:00:00Z"), kStart);
  CHECK(is_expired(deadline, kStart));
}

TEST_CASE("expired from the deadline on") {
  CHECK_FALSE(is_expired({}, kStart));
  CHECK_FALSE(is_expired(kStart + 1us, kStart));
  CHECK(is_expired(kStart, kStart));
}

TEST_CASE("an attempt gets what is left, without the margin") {
  const TimeoutsSpec spec{500ms, 10s, 24h};
  CHECK(attempt_timeout(spec, {}, kStart) == Duration{10s});
  CHECK(attempt_timeout(spec, kStart + 1h, kStart) == Duration{10s});
  CHECK(attempt_timeout(spec, kStart + 5s, kStart) == Duration{4950ms});
  CHECK(attempt_timeout(spec, kStart + 150ms, kStart) == Duration{100ms});
  CHECK_FALSE(attempt_timeout(spec, kStart + 149ms, kStart));
  CHECK_FALSE(attempt_timeout(spec, kStart, kStart));
  CHECK_FALSE(attempt_timeout(spec, kStart - 1s, kStart));
}

TEST_CASE("a short attempt is useful although it is shorter than the minimum") {
  const TimeoutsSpec spec{500ms, 20ms, 24h};
  CHECK(attempt_timeout(spec, kStart + 80ms, kStart) == Duration{20ms});
  CHECK_FALSE(attempt_timeout(spec, kStart + 69ms, kStart));
}

TEST_CASE("an attempt always ends before the deadline") {
  CHECK(testing::holds("attempt within deadline", [] {
    const TimeoutsSpec spec{500ms, Duration{*rc::gen::inRange<std::int64_t>(1, 20'000'000)}, 24h};
    const WallTime deadline = kStart +
                              Duration{*rc::gen::inRange<std::int64_t>(-1'000'000, 30'000'000)};
    const auto timeout = attempt_timeout(spec, deadline, kStart);
    if (!timeout) return;
    RC_ASSERT(*timeout > 0us);
    RC_ASSERT(*timeout <= spec.attempt);
    RC_ASSERT(kStart + *timeout + spec.margin <= deadline);
  }));
}

}  // namespace
}  // namespace weir::policy
