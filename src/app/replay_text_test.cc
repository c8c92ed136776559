// SPDX-License-Identifier: Apache-2.0
#include "app/replay_text.h"

#include <doctest/doctest.h>

namespace weir::app {
namespace {

const WallTime kNow = *parse_rfc3339("2026-11-21T14:00:00Z");

constexpr std::string_view kReplay =
    R"({"replay":"r12","state":"stopped","stateReason":"2 of 10 failed again",)"
    R"("plan":{"selection":{"group":"9ad1","ids":["a","b"]},)"
    R"("rate":{"startPerSecond":5,"maxPerSecond":50,"rampFactor":2,"stepSeconds":5,"concurrency":16},)"
    R"("canary":{"count":5,"holdSeconds":2},"stop":{"failureSharePercent":10,"onBreakerOpen":true,)"
    R"("sameFingerprint":3},)"
    R"("reason":"fixed \u0007"},"counts":{"planned":1204,"sent":10,"succeeded":8,"failedAgain":2,)"
    R"("skipped":1,"inDoubt":0},)"
    R"("estimate":{"canarySeconds":3,"seconds":92.5,"peakPerSecond":50},"startedAt":"2026-11-21T13:59:00Z",)"
    R"("finishedAt":"2026-11-21T13:59:12Z"})";

template <class Render>
std::string of(std::string_view text, Render render) {
  const auto document = wire::parse_json(text);
  REQUIRE(document.ok());
  return render(document->root());
}

TEST_CASE("a plan in words") {
  CHECK(of(kReplay, plan_text) ==
        "replay      r12, stopped\n"
        "deliveries  1,204\n"
        "selected by group 9ad1, ids 2\n"
        "reason      fixed \\u{7}\n"
        "canary      5 first, then 2.0 s to see\n"
        "rate        5/s, x 2 every 5.0 s up to 50/s, at most 16 at a time\n"
        "stops when  more than 10 % fail again, or the breaker opens, or 3 fail just as before\n"
        "takes about 1 min 33 s, with a peak of 50/s\n");
}

TEST_CASE("a dry run has no id, a plain plan no canary and no ramp") {
  const std::string text = of(
      R"({"replay":"r0","state":"planning","plan":{"selection":{"flow":"sync"},)"
      R"("rate":{"startPerSecond":5,"maxPerSecond":5,)"
      R"("concurrency":1},"canary":{"count":0},"stop":{"failureSharePercent":10}},"counts":{"planned":3},)"
      R"("estimate":{"seconds":0.6,"peakPerSecond":5}})",
      plan_text);
  CHECK(text.starts_with("deliveries  3\n"));
  CHECK(text.find("canary      none\n") != text.npos);
  CHECK(text.find("rate        5/s, at most 1 at a time\n") != text.npos);
  CHECK(text.find("takes about 600 ms") != text.npos);
}

TEST_CASE("a report ends with the five counts") {
  CHECK(of(kReplay, [](wire::Json json) { return report_text(json, kNow); }) ==
        "r12 stopped: 2 of 10 failed again\n"
        "started 1 min ago, took 12.0 s\n"
        "1,193 of 1,204 deliveries not sent\n"
        "sent 10 / succeeded 8 / failed again 2 / skipped 1 / in doubt 0\n");
}

}  // namespace
}  // namespace weir::app
