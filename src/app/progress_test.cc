// SPDX-License-Identifier: Apache-2.0
#include "app/progress.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "app/exit_codes.h"
#include "app/table.h"

namespace weir::app {
namespace {

ReplayProgress sample() {
  return {.replay = "r12",
          .state = "running",
          .planned = 1204,
          .sent = 420,
          .succeeded = 400,
          .failed_again = 2,
          .skipped = 10,
          .rate = 5};
}

TEST_CASE("progress is read from the API's answer") {
  const auto document = wire::parse_json(
      R"({"replay":"r12","state":"stopped","stateReason":"20 %\u0007","ratePerSecond":2.5,)"
      R"("counts":{"planned":30,"sent":9,"succeeded":5,"failedAgain":2,"skipped":1,"inDoubt":1}})");
  REQUIRE(document.ok());
  const ReplayProgress progress = read_progress(document->root());
  CHECK(progress.replay == "r12");
  CHECK(progress.state_reason == "20 %\\u{7}");
  CHECK(progress.planned == 30);
  CHECK(progress.sent == 9);
  CHECK(progress.settled() == 9);
  CHECK(progress.rate == 2.5);
  CHECK(progress.checked.empty());
  const auto watched = wire::parse_json(
      R"({"checks":[{"verdict":"successful"},{"verdict":"inconclusive"}],)"
      R"("stops":[{"condition":"failureShare","value":0.5,"limit":10}]})");
  REQUIRE(watched.ok());
  CHECK(limits_line(read_progress(watched->root())) ==
        "checks unknown; stops: failureShare 0.5 of 10");
}

TEST_CASE("the bar shows what is settled") {
  CHECK(progress_bar(sample(), 100) ==
        "[##########--------------------] 412/1,204  34 %  running  5/s  2 failed again");
  CHECK(progress_bar(sample(), 30) == "412/1,204  34 %  running  5/s…");
  ReplayProgress done{
      .replay = "r1", .state = "completed", .planned = 3, .sent = 3, .succeeded = 3, .rate = 50};
  CHECK(progress_bar(done, 80) == "[##############################] 3/3  100 %  completed");
  CHECK(progress_bar({.state = "completed"}, 80).find("100 %") != std::string::npos);
}

TEST_CASE("the bar never exceeds the width, whatever is counted") {
  rc::check("fits", [](std::uint32_t planned, std::uint32_t succeeded, std::uint32_t failed) {
    const ReplayProgress progress{.state = "running",
                                  .planned = planned,
                                  .succeeded = succeeded,
                                  .failed_again = failed,
                                  .rate = 7};
    const auto width = *rc::gen::inRange<std::size_t>(1, 150);
    RC_ASSERT(text_width(progress_bar(progress, width)) <= width);
  });
}

TEST_CASE("lines and the report") {
  ReplayProgress progress = sample();
  const std::string line =
      "r12 running: 412 of 1,204 settled, 5/s; sent 420 / succeeded 400 / failed again 2 / "
      "skipped 10 / in doubt 0";
  CHECK(progress_line(progress) == line);
  progress.checked = "yes";
  progress.stops = {{"failureShare", 0.5, 10}, {"sameFingerprint", 2, 3}};
  const std::string limits = "checks yes; stops: failureShare 0.5 of 10, sameFingerprint 2 of 3";
  CHECK(progress_line(progress) == line + "; " + limits);
  CHECK(progress_block(progress, 100) ==
        progress_bar(progress, 100) + "\n" + report_line(progress) + "\n" + limits);
  CHECK(report_line(sample()) ==
        "sent 420 / succeeded 400 / failed again 2 / skipped 10 / in doubt 0");
}

TEST_CASE("exit codes of a replay at rest") {
  const auto code = [](std::string state, std::uint64_t failed_again, std::uint64_t in_doubt) {
    return exit_of(ReplayProgress{
        .state = std::move(state), .failed_again = failed_again, .in_doubt = in_doubt});
  };
  CHECK(code("completed", 0, 0) == kExitOk);
  CHECK(code("completed", 1, 0) == kExitPartial);
  CHECK(code("completed", 0, 1) == kExitPartial);
  CHECK(code("stopped", 1, 0) == kExitStopped);
  CHECK(code("aborted", 0, 0) == kExitFailed);
  CHECK(code("paused", 0, 0) == kExitOk);
}

TEST_CASE("rest: nothing happens without an operator") {
  for (const char* state : {"completed", "aborted", "stopped", "paused"})
    CHECK(ReplayProgress{.state = state}.is_at_rest());
  for (const char* state : {"planned", "canary", "running"})
    CHECK_FALSE(ReplayProgress{.state = state}.is_at_rest());
}

TEST_CASE("a line is due at once, on a new state, and every ten seconds") {
  LineSchedule schedule;
  ReplayProgress progress = sample();
  const MonoTime start{std::chrono::hours(1)};
  CHECK(schedule.due(progress, start));
  CHECK_FALSE(schedule.due(progress, start + std::chrono::milliseconds(9999)));
  CHECK(schedule.due(progress, start + std::chrono::seconds(10)));
  CHECK_FALSE(schedule.due(progress, start + std::chrono::seconds(11)));
  progress.state = "stopped";
  CHECK(schedule.due(progress, start + std::chrono::seconds(11)));
}

}  // namespace
}  // namespace weir::app
