// SPDX-License-Identifier: Apache-2.0
#include "app/replay_text.h"

#include <doctest/doctest.h>

namespace weir::app {
namespace {

const WallTime kNow = *parse_rfc3339("2026-11-21T14:00:00Z");

constexpr std::string_view kReplay =
    R"({"replay":"r12","state":"stopped","stateReason":"2 of 10 failed again",)"
    R"("plan":{"selection":{"group":"9ad1","ids":["a","b"]},)"
    R"("rate":{"start":"5/s","max":"50/s","factor":2,"step":"5s","concurrency":16},)"
    R"("canary":{"count":5,"hold":"2s"},"verify":{"nothingReturned":true,"checks":[{}],"atEnd":true},)"
    R"("stop":{"failureShare":{"limit":10,"then":"slow"},"breakerOpen":{"then":"stop"},)"
    R"("sameFingerprint":{"limit":3,"then":"stop"},"liveLag":{"limit":"1m","then":"pause"}},)"
    R"("reason":"fixed \u0007"},"counts":{"planned":1204,"sent":10,"succeeded":8,"failedAgain":2,)"
    R"("skipped":1,"inDoubt":0},"hash":"0f3a",)"
    R"("checks":[{"check":"flow sync paused","verdict":"failed","detail":"it is active"},)"
    R"({"check":"up below 1","verdict":"inconclusive","detail":"no answer"}],)"
    R"("stops":[{"condition":"failureShare","value":20,"limit":10,"then":"slow"}],)"
    R"("estimate":{"canarySeconds":3,"seconds":92.5,"peakPerSecond":50},"startedAt":"2026-11-21T13:59:00Z",)"
    R"("finishedAt":"2026-11-21T13:59:12Z"})";

template <class Render>
std::string of(std::string_view text, Render render) {
  const auto document = wire::parse_json(text);
  REQUIRE(document.ok());
  return render(document->root());
}

TEST_CASE("a plan in words") {
  CHECK(of(kReplay, [](wire::Json json) { return plan_text(json); }) ==
        "replay      r12, stopped\n"
        "deliveries  1,204\n"
        "selected by group 9ad1, ids 2\n"
        "reason      fixed \\u{7}\n"
        "canary      5 first, then 2s to see\n"
        "rate        5/s, x 2 every 5s up to 50/s, at most 16 at a time\n"
        "verified by nothing comes back and 1 check: at the end\n"
        "stops when  more than 10 % fail again (slow), or the breaker opens, or 3 fail just as "
        "before, "
        "or live events wait for 1m (pause)\n"
        "takes about 1 min 33 s, with a peak of 50/s\n"
        "plan        0f3a\n");
}

TEST_CASE("a dry run has no id, a plain plan no canary and no ramp") {
  const std::string text = of(
      R"({"replay":"r0","state":"planning","plan":{"selection":{"flow":"sync"},)"
      R"("rate":{"start":"5/s","max":"5/s","concurrency":1},"canary":{"count":0},)"
      R"("stop":{"failureShare":{"limit":10}}},"counts":{"planned":3},)"
      R"("estimate":{"seconds":0.6,"peakPerSecond":5}})",
      [](wire::Json json) { return plan_text(json); });
  CHECK(text.starts_with("deliveries  3\n"));
  CHECK(text.find("canary      none\n") != text.npos);
  CHECK(text.find("rate        5/s, at most 1 at a time\n") != text.npos);
  CHECK(text.find("takes about 600 ms") != text.npos);
}

TEST_CASE("a report has the five counts, the checks and the limits") {
  CHECK(of(kReplay, [](wire::Json json) { return report_text(json, kNow); }) ==
        "r12 stopped: 2 of 10 failed again\n"
        "started 1 min ago, took 12.0 s\n"
        "1,193 of 1,204 deliveries not sent\n"
        "sent 10 / succeeded 8 / failed again 2 / skipped 1 / in doubt 0\n"
        "checks      no      flow sync paused (it is active)\n"
        "            unknown up below 1 (no answer)\n"
        "limits      failureShare            20 of 10\n");
}

TEST_CASE("a dry run in words") {
  CHECK(of(R"({"deliveries":1204,"inDoubt":2,"withoutFlow":0,"attemptSeconds":0.02,)"
           R"("groups":[{"group":"9ad1000000000000","title":"422 x","deliveries":1204}],)"
           R"("loads":[{"dependency":"tracker","livePerSecond":12.5,"peakPerSecond":50,)"
           R"("limitPerSecond":250}]})",
           forecast_text) ==
        "groups         1,204  9ad10000  422 x\n"
        "load        tracker: 12.5/s live and up to 50/s replayed, of 250/s\n"
        "calls       1,204, and retries; one takes about 20 ms\n"
        "in doubt    2: they may have been applied already\n");
}

TEST_CASE("a dry run over several dependencies tells when each has its load") {
  const std::string text = of(
      R"({"loads":[{"dependency":"mail","steps":[{"fromSeconds":0,"perSecond":5},)"
      R"({"fromSeconds":10,"perSecond":0}]},{"dependency":"tracker","steps":[)"
      R"({"fromSeconds":10,"perSecond":5},{"fromSeconds":30,"perSecond":0}]}]})",
      forecast_text);
  CHECK(text.find("over time   mail: 5/s from 0 us, 0/s from 10.0 s\n"
                  "            tracker: 5/s from 10.0 s, 0/s from 30.0 s\n") != text.npos);
}

TEST_CASE("a report tells what was given up, and what waits for its preconditions") {
  const std::string text = of(
      R"({"replay":"r1","state":"planned","stateReason":"waits: x","waitsUntil":"2026-11-22T18:00:00Z",)"
      R"("counts":{"planned":2,"failedAgain":2,"discarded":1}})",
      [](wire::Json json) { return report_text(json, kNow); });
  CHECK(
      text.starts_with("r1 planned: waits: x\nit starts by itself when its preconditions hold, "
                       "until 2026-11-22T18:00:00Z\n"));
  CHECK(text.find("of those that failed again, 1 were given up: discarded\n") != text.npos);
}

}  // namespace
}  // namespace weir::app
