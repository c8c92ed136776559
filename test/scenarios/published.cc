// SPDX-License-Identifier: Apache-2.0
#include "published.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "sim/read_scenario.h"
#include "sim/run.h"

namespace weir::scenarios {

std::vector<sim::RunResult> runs_of(const std::string& name,
                                    const std::vector<std::string>& settings, std::uint64_t seeds) {
  const std::string path = std::string(WEIR_SCENARIOS) + "/published/" + name + ".yaml";
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  sim::Surroundings around;
  for (const std::string& setting : settings)
    around.settings.push_back(sim::parse_setting(setting).value());
  const sim::ScenarioOutcome outcome = sim::read_scenario({path, text.str()}, around);
  if (outcome.wrong_setting) throw std::runtime_error(outcome.wrong_setting->detail);
  if (!outcome.scenario) throw std::runtime_error(config::render(outcome.problems));
  std::vector<sim::RunResult> runs;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed)
    runs.push_back(sim::run(*outcome.scenario, seed));
  return runs;
}

std::vector<double> recoveries(const std::vector<sim::RunResult>& runs) {
  std::vector<double> all;
  for (const sim::RunResult& run : runs) all.push_back(run.verdict.recovered_after.value_or(-1));
  std::ranges::sort(all);
  return all;
}

bool all_recover(const std::vector<sim::RunResult>& runs) { return recoveries(runs).front() >= 0; }
bool none_recovers(const std::vector<sim::RunResult>& runs) { return recoveries(runs).back() < 0; }

double mean_goodput(const std::vector<sim::RunResult>& runs) {
  double sum = 0;
  for (const sim::RunResult& run : runs) sum += run.totals.goodput;
  return sum / static_cast<double>(runs.size());
}

double mean_amplification(const std::vector<sim::RunResult>& runs) {
  double sum = 0;
  for (const sim::RunResult& run : runs) sum += run.totals.amplification;
  return sum / static_cast<double>(runs.size());
}

}  // namespace weir::scenarios
