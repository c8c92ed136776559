// SPDX-License-Identifier: Apache-2.0
// The options of `weir simulate`, and what they make of a scenario. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/load.h"
#include "sim/read_scenario.h"

namespace CLI {
class App;
}  // namespace CLI

namespace weir::app {

struct SimulateFlags {
  std::string file;  // empty: `config` is simulated
  std::optional<std::uint64_t> seed;
  std::optional<std::uint32_t> runs;
  std::vector<std::string> settings;  // path=value
  std::string config;
  std::vector<std::string> outages;  // dependency=duration
  std::string journal;               // how far back; empty = no
  std::string compare;               // whose policy is the other side; empty = one side
  std::string output;                // empty: as of all commands
};

void add_simulate_flags(CLI::App& command, SimulateFlags& flags);

// How the scenario is called that made_scenario() writes, and on which of its lines the first
// outage stands.
inline constexpr std::string_view kMadeScenario = "the command line";
inline constexpr int kMadeOutagesFrom = 5;

// `--config` alone: its flows at their peaks, a minute of everyday, the outages, and time to
// recover. Error: usage.
Result<config::SourceFile> made_scenario(const SimulateFlags& flags);

// What contradicts itself is told before anything runs; then the settings of the command line.
// Error: usage.
Result<> read_flags(const SimulateFlags& flags, sim::Surroundings& around);

}  // namespace weir::app
