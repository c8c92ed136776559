// SPDX-License-Identifier: Apache-2.0
// `weir policy bound`: the worst case, from the configuration alone.
#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/bound_text.h"
#include "app/commands.h"
#include "app/config_files.h"
#include "app/output.h"
#include "app/refusal.h"
#include "base/text.h"

namespace weir::app {
namespace {

struct BoundOptions {
  std::string config = "weir.yaml";
  std::string flow;
  std::string outage = "10s";
};

Error unknown_flow(const Config& config, const std::string& name) {
  std::vector<std::string> names;
  for (const FlowSpec& flow : config.flows) names.push_back(flow.name);
  return {Code::unknown_flow, fmt::format("no flow '{}' in the configuration", printable(name)),
          did_you_mean(name, names)};
}

// What `weir config validate` would say about it, after the numbers.
void note_problems(const Session& session, const config::LoadOutcome& outcome) {
  for (const auto* problems : {&outcome.problems, &outcome.warnings}) {
    const std::string text = printable_lines(config::render(*problems));
    if (!text.empty()) session.note("\n" + text.substr(0, text.size() - 1));
  }
}

int bound(Session& session, const BoundOptions& options) {
  const auto outage = parse_duration(options.outage);
  if (!outage) {
    return session.fail({Code::usage, fmt::format("'{}' is no duration", printable(options.outage)),
                         "for example 10s, 5m, 1h30m"});
  }
  auto files = read_config_files(options.config);
  if (!files.ok()) return session.fail(files.error());
  const config::LoadOutcome outcome = config::load(*files, resolve_secret);
  const auto& config = outcome.config ? outcome.config : outcome.refused;
  if (!config) {
    session.print(printable_lines(config::render(outcome.problems)));
    return kExitFailed;
  }
  const bool known = options.flow.empty() ||
                     std::ranges::find(config->flows, options.flow, &FlowSpec::name) !=
                         config->flows.end();
  if (!known) return session.fail(unknown_flow(*config, options.flow));
  const policy::Bound bound = narrowed(policy::bound_of(*config, *outage), options.flow);
  if (!session.is_table()) {
    const int printed = print_made(session, bound_json(bound), "verdict", {}, session.now());
    if (printed != kExitOk) return printed;
  } else {
    session.print(bound_text(bound));
  }
  note_problems(session, outcome);
  return outcome.config ? kExitOk : kExitFailed;
}

}  // namespace

void add_policy_bound(CLI::App& policy, Chosen& chosen) {
  auto options = std::make_shared<BoundOptions>();
  CLI::App* command = policy.add_subcommand(
      "bound", "the worst case: attempts, load, burst, delay, recovery, and a verdict");
  command
      ->add_option("--config", options->config,
                   "a file, or a folder of *.yaml; weir.yaml if nothing is said")
      ->option_text("PATH");
  command->add_option("--flow", options->flow, "only this flow and its dependency")
      ->option_text("FLOW");
  command->add_option("--outage", options->outage, "the outage to recover from, 10s")
      ->option_text("DURATION");
  command->callback([&chosen, options] {
    chosen.action = [options](Session& session) { return bound(session, *options); };
  });
}

}  // namespace weir::app
