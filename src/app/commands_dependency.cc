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

const std::vector<Fact> kDependencyFacts = {
    {"dependency", "dependency"},
    {"url", "url"},
    {"breaker", "breaker"},
    {"by hand", "breakerControl.state"},
    {"until", "breakerControl.until"},
    {"by", "breakerControl.actor"},
    {"reason", "breakerControl.reason"},
    {"in flight", "inFlight", CellKind::count},
    {"limit", "limit", CellKind::count},
    {"retry budget", "retryBudget", CellKind::share},
    {"retry tokens", "retryTokens", CellKind::share},
    {"capacity per second", "capacityPerSecond", CellKind::share},
    {"waits for", "waitsFor.guardrail"},
    {"because", "waitsFor.reason"},
    {"admitted first attempts", "admitted.first", CellKind::count},
    {"admitted retries", "admitted.retry", CellKind::count},
    {"admitted replays", "admitted.replay", CellKind::count},
    {"refused by the breaker", "denials.breaker", CellKind::count},
    {"refused by the retry budget", "denials.retryBudget", CellKind::count},
    {"refused by the rate limit", "denials.rateLimit", CellKind::count},
    {"refused by concurrency", "denials.concurrency", CellKind::count},
    {"the breaker would refuse", "wouldDeny.breaker", CellKind::count},
    {"the retry budget would refuse", "wouldDeny.retryBudget", CellKind::count},
    {"the rate limit would refuse", "wouldDeny.rateLimit", CellKind::count},
    {"concurrency would refuse", "wouldDeny.concurrency", CellKind::count}};

const std::vector<Column> kPaths = {{"PATH", "path"}, {"BREAKER", "breaker"}};

int print_dependency(Session& session, wire::Json dependency) {
  print_one(session, dependency, "dependency", kDependencyFacts, session.now());
  print_section(session, dependency, "breakers", kPaths, session.now());
  return kExitOk;
}

int list_dependencies(Session& session) {
  const Reply reply = session.get("/v1/dependencies");
  if (!reply) return reply.exit;
  print_list(session, reply, kDependencies, session.now());
  return kExitOk;
}

int get_dependency(Session& session, const std::string& name) {
  const Reply reply = session.get(path_to("dependencies", name));
  if (!reply) return reply.exit;
  return print_dependency(session, reply.root());
}

int control(Session& session, const std::string& name, std::string_view state,
            const std::string& lasts) {
  wire::JsonWriter json;
  json.begin_object().field("state", state).field("reason", session.options().reason);
  if (!lasts.empty()) json.field("for", lasts);
  json.end_object();
  const Reply reply = session.post(path_to("dependencies", name, "breaker"), json.text());
  if (!reply) return reply.exit;
  return print_dependency(session, reply.root());
}

void add_control(CLI::App& noun, Chosen& chosen, std::string_view state, const std::string& text) {
  auto name = std::make_shared<std::string>();
  auto lasts = std::make_shared<std::string>();
  CLI::App* command = noun.add_subcommand(state == "closed" ? "close" : std::string(state), text);
  command->add_option("DEPENDENCY", *name)->required()->option_text(" ");
  if (state != "auto")
    command->add_option("--for", *lasts, "how long, for example 10m; otherwise until `auto`")
        ->option_text("DURATION");
  command->callback([&chosen, name, lasts, state] {
    chosen.action = [=](Session& session) { return control(session, *name, state, *lasts); };
  });
}

}  // namespace

void add_dependency_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* noun =
      root.add_subcommand("dependency", "what handlers call, with its guardrails")->alias("dep");
  noun->require_subcommand(1);
  noun->add_subcommand("list", "every dependency and its breaker")
      ->alias("ls")
      ->callback([&chosen] { chosen.action = list_dependencies; });
  auto name = std::make_shared<std::string>();
  CLI::App* command = noun->add_subcommand("get", "one dependency: limits, budget, refusals");
  command->add_option("DEPENDENCY", *name)->required()->option_text(" ");
  command->callback([&chosen, name] {
    chosen.action = [name](Session& session) { return get_dependency(session, *name); };
  });
  add_control(*noun, chosen, "open", "stop calling it, by hand; needs --reason");
  add_control(*noun, chosen, "closed", "call it whatever its breaker says; needs --reason");
  add_control(*noun, chosen, "auto", "let its calls decide again; needs --reason");
}

}  // namespace weir::app
