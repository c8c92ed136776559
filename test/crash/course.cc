// SPDX-License-Identifier: Apache-2.0
#include "course.h"

#include <doctest/doctest.h>

#include "store/sqlite/check.h"

namespace weir::crash {

std::optional<Error> Course::live() {
  std::optional<Error> failure;
  {
    Life life(site);
    if (!run_script(life, journal)) failure = life.failure();
    operations = disk().operations();
  }
  return failure;
}

void Course::power_cut(std::uint64_t seed) {
  disk().power_cut(seed);
  ++crashes;
}

void Course::run_to_the_end() {
  if (const auto failure = live()) FAIL("a life without a fault failed: ", to_text(*failure));
  {
    Life life(site);
    REQUIRE_FALSE(life.dead());
    REQUIRE(run_script(life, journal));
    for (const Step& step : site.story.last_steps) REQUIRE(step(life, journal));
    site.story.check(life, journal, crashes);
  }
  const auto report = store::sqlite::check(site.folder, vfs.name());
  REQUIRE(report.ok());
  for (const std::string& problem : report->problems) FAIL_CHECK(problem);
  CHECK(report->sound());
}

}  // namespace weir::crash
