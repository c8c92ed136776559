// SPDX-License-Identifier: Apache-2.0
#include "app/simulate_flags.h"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "wire/json.h"

namespace weir::app {
namespace {

constexpr Duration kEveryday = std::chrono::minutes{1};
constexpr Duration kRecoveryLeast = std::chrono::minutes{5};
constexpr std::uint64_t kSeedMax = 1'000'000'000'000;  // as of a scenario's `seed`
constexpr int kRecoveryTimes = 4;                      // as long as the outage

struct OutageFlag {
  std::string dependency;
  Duration lasts;
};

Result<OutageFlag> parse_outage(const std::string& text) {
  const auto equals = text.find('=');
  const auto lasts = equals == text.npos ? std::nullopt : parse_duration(text.substr(equals + 1));
  if (lasts && equals > 0) return OutageFlag{text.substr(0, equals), *lasts};
  return Error{Code::usage, fmt::format("'{}' is no outage", printable(text)),
               "for example --outage tracker=5m"};
}

std::string as_yaml(std::string_view text) {
  std::string out;
  wire::append_json_string(out, text);
  return out;
}

}  // namespace

Result<config::SourceFile> made_scenario(const SimulateFlags& flags) {
  if (flags.config.empty()) {
    return Error{Code::usage, "what is to be simulated?",
                 "weir simulate FILE, or --config weir.yaml --outage DEPENDENCY=5m"};
  }
  Duration longest{};
  std::string faults;
  for (const std::string& text : flags.outages) {
    WEIR_TRY(const OutageFlag outage, parse_outage(text));
    longest = std::max(longest, outage.lasts);
    faults += fmt::format("  - {{ outage: {}, at: {}, for: {} }}\n", as_yaml(outage.dependency),
                          to_setting(kEveryday), to_setting(outage.lasts));
  }
  const Duration lasts = kEveryday + longest + std::max(kRecoveryLeast, kRecoveryTimes * longest);
  const auto journal = parse_duration(flags.journal);
  std::string text = fmt::format("name: {}\nconfig: {}\nlasts: {}\n", as_yaml(flags.config),
                                 as_yaml(flags.config),
                                 to_setting(std::max(lasts, journal.value_or(Duration{}))));
  if (!faults.empty()) text += "faults:\n" + faults;
  return config::SourceFile{std::string(kMadeScenario), std::move(text)};
}

Result<> read_flags(const SimulateFlags& flags, sim::Surroundings& around) {
  if (!flags.file.empty() && !flags.outages.empty()) {
    return Error{Code::usage, "a scenario says itself what goes wrong",
                 "put the outage into its faults, or leave the file out"};
  }
  if (flags.output == "junit" && !flags.compare.empty()) {
    return Error{Code::usage, "JUnit has one side, and --compare makes two",
                 "-o table, json or html; or -o junit without --compare"};
  }
  if (!flags.file.empty() && !flags.config.empty())
    around.settings.push_back({"config", as_yaml(flags.config)});
  for (const std::string& text : flags.settings) {
    WEIR_TRY(auto setting, sim::parse_setting(text));
    around.settings.push_back(std::move(setting));
  }
  return {};
}

void add_simulate_flags(CLI::App& command, SimulateFlags& flags) {
  command.add_option("FILE", flags.file, "a scenario, see docs/guide/simulate.md")
      ->option_text(" ");
  command.add_option("--seed", flags.seed, "the first seed, instead of the scenario's")
      ->check(CLI::Range(std::uint64_t{0}, kSeedMax))
      ->option_text("N");
  command.add_option("--runs", flags.runs, "so many seeds, one after the other")
      ->check(CLI::Range(1, 10'000))
      ->option_text("N");
  command
      .add_option("--set", flags.settings,
                  "another value, for example policies.careful.retry.maxAttempts=3")
      ->option_text("PATH=VALUE");
  command.add_option("--config", flags.config, "the real configuration and its policies")
      ->option_text("PATH");
  command
      .add_option("--outage", flags.outages,
                  "without a file: this dependency of --config is gone for so long")
      ->option_text("DEPENDENCY=DURATION");
  command
      .add_option("--from-journal", flags.journal,
                  "the load: what a running Weir recorded in the last DURATION")
      ->option_text("DURATION");
  command
      .add_option("--compare", flags.compare,
                  "the same load and seeds under the policy of another scenario or configuration")
      ->option_text("FILE");
  command.add_option("-o,--output", flags.output, "table, json, junit, or html for a page")
      ->check(CLI::IsMember({"table", "json", "junit", "html"}))
      ->option_text("FORMAT");
}

}  // namespace weir::app
