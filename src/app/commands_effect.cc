// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/output.h"
#include "base/text.h"

namespace weir::app {
namespace {

const ListView kEffects{.member = "effects",
                        .name = "effect",
                        .columns = {{"EFFECT", "effect"},
                                    {"STATE", "state"},
                                    {"METHOD", "method", CellKind::text, 2},
                                    {"DEPENDENCY", "dependency"},
                                    {"TARGET", "target", CellKind::text, 3, Fit::cut},
                                    {"EVENT", "event"},
                                    {"FLOW", "flow", CellKind::text, 4},
                                    {"SENDS", "sends", CellKind::count, 5},
                                    {"CHANGED", "changedAt", CellKind::age, 1},
                                    {"REASON", "reason", CellKind::text, 0, Fit::cut}},
                        .nothing = "No effects."};

const std::vector<Fact> kEffectFacts = {{"effect", "effect"},
                                        {"state", "state"},
                                        {"reason", "reason"},
                                        {"dependency", "dependency"},
                                        {"method", "method"},
                                        {"target", "target"},
                                        {"name", "name"},
                                        {"step", "step"},
                                        {"key", "key"},
                                        {"event", "event"},
                                        {"flow", "flow"},
                                        {"sends", "sends", CellKind::count},
                                        {"attempt", "attempt", CellKind::count},
                                        {"first sent", "firstSentAt"},
                                        {"last sent", "lastSentAt"},
                                        {"status", "status"},
                                        {"resolution", "resolution"}};

struct EffectFilter {
  std::string state;
  std::string dependency;
  std::string flow;
  std::string cursor;
  std::size_t limit = 100;
};

int list_effects(Session& session, const EffectFilter& filter) {
  const Reply reply = session.get("/v1/effects" + query_of({{"state", filter.state},
                                                            {"dependency", filter.dependency},
                                                            {"flow", filter.flow},
                                                            {"limit", std::to_string(filter.limit)},
                                                            {"cursor", filter.cursor}}));
  if (!reply) return reply.exit;
  if (!print_list(session, reply, kEffects, session.now())) return kExitOk;
  const std::string cursor = text_at(reply.root(), "cursor");
  if (!cursor.empty())
    session.note(fmt::format("There are more: --cursor {} shows them.", printable(cursor)));
  return kExitOk;
}

int show_effect(Session& session, const Reply& reply) {
  if (!reply) return reply.exit;
  const wire::Json effect = reply.root();
  print_one(session, effect, "effect", kEffectFacts, session.now());
  const std::string id = cell(effect, "effect", CellKind::text, {});
  if (cell(effect, "state", CellKind::text, {}) == "inDoubt")
    session.next(fmt::format("weir effect resolve {} --as confirmed --reason \"...\"", id));
  session.next(fmt::format("weir explain {}", cell(effect, "event", CellKind::text, {})));
  return kExitOk;
}

int resolve_effect(Session& session, const std::string& id, const std::string& as,
                   bool break_glass) {
  wire::JsonWriter json;
  json.begin_object().field("as", as).field("reason", session.options().reason);
  if (break_glass) json.field("breakGlass", true);
  json.end_object();
  return show_effect(session,
                     session.post(path_to("effects", id, "resolve"), std::move(json).take()));
}

int reconcile_effect(Session& session, const std::string& id) {
  wire::JsonWriter json;
  json.begin_object().field("reason", session.options().reason).end_object();
  return show_effect(session,
                     session.post(path_to("effects", id, "reconcile"), std::move(json).take()));
}

void add_effect_list(CLI::App& noun, Chosen& chosen) {
  auto filter = std::make_shared<EffectFilter>();
  CLI::App* lists = noun.add_subcommand("list", "the newest effects in the ledger")->alias("ls");
  lists->add_option("--state", filter->state, "sent, confirmed, failedNoEffect or inDoubt")
      ->option_text("STATE");
  lists->add_option("--dependency", filter->dependency, "on this one")->option_text("NAME");
  lists->add_option("--flow", filter->flow, "of this one's deliveries")->option_text("NAME");
  lists->add_option("--limit", filter->limit, "how many, up to 1000")
      ->check(CLI::Range(1, 1000))
      ->option_text("N");
  lists->add_option("--cursor", filter->cursor, "go on where a list ended")->option_text("CURSOR");
  lists->callback([&chosen, filter] {
    chosen.action = [filter](Session& session) { return list_effects(session, *filter); };
  });
}

}  // namespace

void add_effect_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* noun = root.add_subcommand("effect", "side effects on dependencies");
  noun->require_subcommand(1);
  add_effect_list(*noun, chosen);
  auto said = std::make_shared<std::pair<std::string, std::string>>();
  const auto verb = [&](const char* name, const char* text) {
    CLI::App* command = noun->add_subcommand(name, text);
    command->add_option("EFFECT", said->first, "its id, such as e17")->required()->option_text(" ");
    return command;
  };
  verb("get", "one effect")->callback([&chosen, said] {
    chosen.action = [said](Session& session) {
      return show_effect(session, session.get(path_to("effects", said->first)));
    };
  });
  CLI::App* resolve = verb("resolve", "say what became of an effect in doubt");
  resolve->add_option("--as", said->second, "confirmed: it happened; failedNoEffect: it did not")
      ->required()
      ->option_text("STATE");
  auto glass = std::make_shared<bool>(false);
  add_break_glass(*resolve, *glass);
  resolve->callback([&chosen, said, glass] {
    chosen.action = [said, glass](Session& session) {
      return resolve_effect(session, said->first, said->second, *glass);
    };
  });
  verb("reconcile", "ask the dependency what became of an effect in doubt")
      ->callback([&chosen, said] {
        chosen.action = [said](Session& session) { return reconcile_effect(session, said->first); };
      });
}

}  // namespace weir::app
