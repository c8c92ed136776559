// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "sim/results_data.h"
#include "sim/results_text.h"
#include "sim/run.h"
#include "sim/testing/scenario_text.h"
#include "wire/json.h"

namespace weir::sim {
namespace {

std::vector<RunResult> two_runs(const std::string& expect) {
  const Scenario scenario = testing::scenario_of(
      "name: a \"<b>\"\nlasts: 20s\nload: { a: { to: d, rate: 50/s } }\ndependencies: { d: {} }\n" +
      expect);
  return {run(scenario, 1), run(scenario, 2)};
}

TEST_CASE("the verdict comes first, then the numbers, then what was expected") {
  const std::string text = results_text(two_runs("expect: { goodput: { atLeast: 90% } }"));
  CHECK(text.starts_with("steady in all 2 runs; the worst, seed "));
  CHECK(text.contains("LEAST      MIDDLE        MOST\n"));
  CHECK(text.contains("\nmet    goodput >= 90 %: "));
  CHECK(text.ends_with("all expectations are met\n"));
}

TEST_CASE("what was missed is told with the seed that missed it") {
  const auto runs = two_runs("expect: { amplification: { atLeast: 3 } }");
  const std::string text = results_text(runs);
  CHECK(text.contains("MISSED amplification >= 3 x: 1 x with seed 1; missed in 2 of 2 runs\n"));
  CHECK(text.ends_with("expectations are missed in 2 of 2 runs\n"));
  CHECK_FALSE(all_met(runs[0]));
  CHECK(results_text({runs[0]}).ends_with("expectations are missed in 1 of 1 run\n"));
}

TEST_CASE("JSON has every run with its checks and series") {
  const std::string json = results_json(two_runs("expect: { effectsTwice: 0 }"));
  const auto document = wire::parse_json(json);
  REQUIRE(document.ok());
  CHECK(json.starts_with(R"({"scenario":"a \"<b>\"","policy":"s.yaml","met":true,)"));
  CHECK(json.contains(
      R"("checks":[{"name":"effectsTwice","expected":"0","measured":"0","met":true}])"));
  CHECK(json.contains(R"("series":[{"dependency":"d","steps":[{"atSeconds":1,)"));
}

TEST_CASE("JUnit: a case per expectation and seed, names escaped") {
  const std::string xml = results_junit(two_runs("expect: { attempts: 0 }"));
  CHECK(xml.contains("<testsuite name=\"a &quot;&lt;b&gt;&quot;\" tests=\"2\" failures=\"2\">"));
  CHECK(xml.contains("name=\"attempts 0 (seed 2)\"><failure message=\"expected 0, measured "));
  CHECK(results_junit(two_runs("")).contains("tests=\"2\" failures=\"0\""));
}

}  // namespace
}  // namespace weir::sim
