// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/output.h"

namespace weir::app {
namespace {

const ListView kDependencies{.member = "dependencies",
                             .name = "dependency",
                             .columns = {{"DEPENDENCY", "dependency"},
                                         {"BREAKER", "breaker"},
                                         {"IN FLIGHT", "inFlight", CellKind::count},
                                         {"LIMIT", "limit", CellKind::count},
                                         {"RETRY BUDGET", "retryBudget", CellKind::share, 2},
                                         {"WAITS FOR", "waitsFor.guardrail", CellKind::text, 1},
                                         {"URL", "url", CellKind::text, 3}},
                             .nothing = "No dependencies."};

const std::vector<Fact> kFacts = {
    {"dependency", "dependency"},
    {"url", "url"},
    {"breaker", "breaker"},
    {"in flight", "inFlight", CellKind::count},
    {"limit", "limit", CellKind::count},
    {"retry budget", "retryBudget", CellKind::share},
    {"capacity per second", "capacityPerSecond", CellKind::share},
    {"waits for", "waitsFor.guardrail"},
    {"because", "waitsFor.reason"},
    {"admitted first attempts", "admitted.first", CellKind::count},
    {"admitted retries", "admitted.retry", CellKind::count},
    {"admitted replays", "admitted.replay", CellKind::count},
    {"refused by the breaker", "denials.breaker", CellKind::count},
    {"refused by the retry budget", "denials.retryBudget", CellKind::count},
    {"refused by the rate limit", "denials.rateLimit", CellKind::count},
    {"refused by concurrency", "denials.concurrency", CellKind::count}};

int list(Session& session) {
  const Reply reply = session.get("/v1/dependencies");
  if (!reply) return reply.exit;
  print_list(session, reply, kDependencies, session.now());
  return kExitOk;
}

int get(Session& session, const std::string& name) {
  const Reply reply = session.get(path_to("dependencies", name));
  if (!reply) return reply.exit;
  print_one(session, reply.root(), "dependency", kFacts, session.now());
  return kExitOk;
}

}  // namespace

void add_dependency_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* noun =
      root.add_subcommand("dependency", "what handlers call, with its guardrails")->alias("dep");
  noun->require_subcommand(1);
  noun->add_subcommand("list", "every dependency and its breaker")
      ->alias("ls")
      ->callback([&chosen] { chosen.action = list; });
  auto name = std::make_shared<std::string>();
  CLI::App* command = noun->add_subcommand("get", "one dependency: limits, budget, refusals");
  command->add_option("DEPENDENCY", *name)->required()->option_text(" ");
  command->callback([&chosen, name] {
    chosen.action = [name](Session& session) { return get(session, *name); };
  });
}

}  // namespace weir::app
