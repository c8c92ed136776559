// SPDX-License-Identifier: Apache-2.0
// `weir simulate`: a policy before the incident. Needs no server.
#include <algorithm>
#include <filesystem>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/config_files.h"
#include "app/journal_load.h"
#include "app/refusal.h"
#include "app/session.h"
#include "app/simulate_compare.h"
#include "app/simulate_flags.h"
#include "app/simulate_problems.h"
#include "base/text.h"
#include "sim/report_html.h"
#include "sim/report_plot.h"
#include "sim/results_data.h"
#include "sim/results_text.h"
#include "sim/run.h"

namespace weir::app {
namespace {

// Beside the scenario's own file, unless it is absolute.
std::string beside(const std::string& file, const std::string& path) {
  return (std::filesystem::path(file).parent_path() / path).string();
}

Result<config::SourceFile> scenario_file(const SimulateFlags& flags) {
  if (flags.file.empty()) return made_scenario(flags);
  WEIR_TRY(auto files, read_config_files(flags.file));
  if (files.size() != 1)
    return Error{Code::usage, fmt::format("'{}' is a folder", printable(flags.file)),
                 "weir simulate takes one scenario at a time"};
  return std::move(files.front());
}

int take_journal(Session& session, const std::string& text, sim::Surroundings& around) {
  const auto window = parse_duration(text);
  if (window && *window > Duration{}) {
    const int exit = read_journal(session, *window, around.recorded);
    if (exit != kExitOk || !around.recorded.empty()) return exit;
    return session.fail({Code::empty_selection,
                         fmt::format("nothing was recorded in the last {}", weir::to_text(*window)),
                         "a longer time for --from-journal"});
  }
  return session.fail({Code::usage, fmt::format("'{}' is no duration", printable(text)),
                       "for example --from-journal 10m"});
}

std::string json_of(const std::vector<sim::Runs>& sides) {
  if (sides.size() == 1) return sim::results_json(sides[0]);
  return fmt::format(R"({{"sides":[{},{}]}})", sim::results_json(sides[0]),
                     sim::results_json(sides[1]));
}

// Numbers first, then the picture of the run that a person should look at.
std::string text_of(const std::vector<sim::Runs>& sides, const sim::PlotStyle& style) {
  std::vector<sim::RunResult> drawn;
  for (const sim::Runs& side : sides)
    drawn.push_back(sides.size() == 1 ? sim::worst_of(side) : side.front());
  const std::string numbers = sides.size() == 1 ? sim::results_text(sides[0])
                                                : sim::compared_text(sides[0], sides[1]);
  const std::string picture = sim::plot(drawn, style);
  return picture.empty() ? numbers : numbers + "\n" + picture;
}

// Its own -o, or the one of all commands. Error: usage.
Result<std::string> output_of(const Session& session, const SimulateFlags& flags) {
  const Format format = session.options().format;
  if (!flags.output.empty()) return flags.output;
  if (format == Format::table) return std::string("table");
  if (format == Format::json) return std::string("json");
  return Error{Code::usage, "weir simulate has no such output", "-o table, json, junit or html"};
}

int print_results(const Session& session, const std::string& output,
                  const std::vector<sim::Runs>& sides) {
  const Terminal& terminal = session.terminal();
  if (output == "junit") {
    session.print_bytes(sim::results_junit(sides[0]));
  } else if (output == "html") {
    session.print_bytes(sim::html_report(sides));
  } else if (output == "json") {
    session.print_bytes(json_of(sides) + "\n");
  } else {
    session.print(text_of(sides, {.width = terminal.width, .color = terminal.output_color}));
  }
  // What is expected is expected of the scenario's own policy.
  return std::ranges::all_of(sides[0], sim::all_met) ? kExitOk : kExitUnsound;
}

int simulate(Session& session, const SimulateFlags& flags) {
  const auto output = output_of(session, flags);
  if (!output.ok()) return session.fail(output.error());
  auto file = scenario_file(flags);
  if (!file.ok()) return session.fail(file.error());
  sim::Surroundings around;
  around.read = [&](const std::string& path) {
    // What the command line names is relative to where it was typed.
    return read_config_files(path == flags.config ? path : beside(flags.file, path));
  };
  const Result<> said = read_flags(flags, around);
  if (!said.ok()) return session.fail(said.error());
  if (!flags.journal.empty()) {
    const int exit = take_journal(session, flags.journal, around);
    if (exit != kExitOk) return exit;
  }
  const sim::ScenarioOutcome outcome = sim::read_scenario(*file, around);
  if (outcome.wrong_setting) return session.fail(*outcome.wrong_setting);
  if (!outcome.scenario) return session.fail(wrong_scenario(flags, outcome.problems));
  const std::uint64_t seed = flags.seed.value_or(outcome.scenario->seed);
  const std::uint32_t count = flags.runs.value_or(outcome.scenario->runs);
  std::vector<sim::Scenario> scenarios = {*outcome.scenario};
  if (!flags.compare.empty()) {
    auto other = other_side(*file, *outcome.scenario, flags, around);
    if (!other.ok()) return session.fail(other.error());
    scenarios.push_back(std::move(*other));
  }
  std::vector<sim::Runs> sides;
  for (const sim::Scenario& scenario : scenarios) {
    sim::Runs runs;
    for (std::uint32_t i = 0; i < count; ++i) runs.push_back(sim::run(scenario, seed + i));
    sides.push_back(std::move(runs));
  }
  return print_results(session, *output, sides);
}

}  // namespace

void add_simulate_command(CLI::App& root, Chosen& chosen) {
  auto flags = std::make_shared<SimulateFlags>();
  CLI::App* command = root.add_subcommand(
      "simulate", "a policy on a virtual clock: does it recover, how fast, at what load");
  add_simulate_flags(*command, *flags);
  command->callback([&chosen, flags] {
    chosen.action = [flags](Session& session) { return simulate(session, *flags); };
  });
}

}  // namespace weir::app
