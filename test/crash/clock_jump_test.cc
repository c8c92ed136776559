// SPDX-License-Identifier: Apache-2.0
// The machine's wall clock is set hours forward or back while replays run: they take the same
// course, with the same holds and rates.
#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include "course.h"
#include "replay_story.h"

namespace weir::crash {
namespace {

using std::chrono::hours;

struct Jump {
  std::uint32_t step = 0;  // of the story, before it begins
  Duration by{};
};

std::vector<Call> replayed_calls(const std::optional<Jump>& jump) {
  Course course(replay_story());
  {
    Life life(course.site);
    if (jump) {
      REQUIRE(run_script_until(life, course.journal, jump->step));
      course.journal.wall_ahead = jump->by;
    }
    REQUIRE(run_script(life, course.journal));
    replay_story().check(life, course.journal, 0);
  }
  std::vector<Call> calls;
  for (const Call& call : std::span(course.journal.calls).first(course.journal.count)) {
    if (call.replay > 0) calls.push_back(call);
  }
  return calls;
}

bool is_same(const Call& a, const Call& b) {
  return a.flow == b.flow && a.event == b.event && a.attempt == b.attempt && a.replay == b.replay;
}

// Since the first call of its replay.
Duration since_begin(const std::vector<Call>& calls, const Call& call) {
  return call.at - std::ranges::find(calls, call.replay, &Call::replay)->at;
}

// Holds, rates and steps are not of the wall clock. What waits for a retry does so by the wall
// clock, which goes at half its pace where it was set back.
void check_course(const std::vector<Call>& calls, const std::vector<Call>& undisturbed) {
  REQUIRE(calls.size() == undisturbed.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    CAPTURE(calls[i].event);
    CHECK(is_same(calls[i], undisturbed[i]));
    const Duration expected = since_begin(undisturbed, undisturbed[i]);
    const Duration since = since_begin(calls, calls[i]);
    CHECK(since.count() >= expected.count());
    const bool retry = calls[i].attempt > 2;
    CHECK(since.count() <= (retry ? 2 * expected : expected).count());
  }
}

}  // namespace

TEST_CASE("the wall clock is set forward or back by hours at any step: replays take their course") {
  const std::vector<Call> undisturbed = replayed_calls(std::nullopt);
  for (std::uint32_t step = 0; step < replay_story().steps.size(); step += 6) {
    for (const Duration by : {hours{5}, -hours{5}}) {
      CAPTURE(step);
      CAPTURE(by.count());
      check_course(replayed_calls(Jump{step, by}), undisturbed);
    }
  }
}

}  // namespace weir::crash
