// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/output.h"

namespace weir::app {
namespace {

const ListView kGroups{.member = "groups",
                       .name = "group",
                       .columns = {{"GROUP", "group"},
                                   {"OPEN", "open", CellKind::count},
                                   {"TOTAL", "total", CellKind::count, 4},
                                   {"KEYS", "keys", CellKind::count, 3},
                                   {"FLOW", "flow"},
                                   {"CLASS", "class", CellKind::text, 1},
                                   {"FAILURE MODE", "failureMode", CellKind::text, 5},
                                   {"FIRST", "firstAt", CellKind::age, 6},
                                   {"LAST", "lastAt", CellKind::age, 2},
                                   {"TITLE", "title", CellKind::text, 0, Fit::cut}},
                       .nothing = "No open failure groups: nothing is in quarantine."};

const std::vector<Fact> kGroupFacts = {{"group", "group"},
                                       {"title", "title"},
                                       {"reason", "reason"},
                                       {"flow", "flow"},
                                       {"dependency", "dependency"},
                                       {"class", "class"},
                                       {"failure mode", "failureMode"},
                                       {"runbook", "runbook"},
                                       {"open", "open", CellKind::count},
                                       {"total", "total", CellKind::count},
                                       {"keys", "keys", CellKind::count},
                                       {"first", "firstAt", CellKind::age},
                                       {"last", "lastAt", CellKind::age},
                                       {"sample", "sample"}};

int list_groups(Session& session, bool all) {
  const Reply reply = session.get(all ? "/v1/groups?all=true" : "/v1/groups");
  if (!reply) return reply.exit;
  if (!print_list(session, reply, kGroups, session.now())) return kExitOk;
  const auto groups = reply.root().find("groups");
  session.next(
      fmt::format("weir group get {}", cell(*groups->begin(), "group", CellKind::text, {})));
  return kExitOk;
}

int get_group(Session& session, const std::string& name) {
  const Reply reply = session.get(path_to("groups", name));
  if (!reply) return reply.exit;
  const wire::Json group = reply.root();
  print_one(session, group, "group", kGroupFacts, session.now());
  session.next(fmt::format("weir explain {} --flow {}", cell(group, "sample", CellKind::text, {}),
                           cell(group, "flow", CellKind::text, {})));
  if (count_at(group, "open") > 0) {
    session.next(fmt::format("weir replay plan --group {} --dry-run",
                             cell(group, "group", CellKind::text, {})));
  }
  return kExitOk;
}

}  // namespace

void add_group_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* noun = root.add_subcommand("group", "failures of one kind");
  noun->require_subcommand(1);
  auto all = std::make_shared<bool>(false);
  CLI::App* lists = noun->add_subcommand("list", "the open failure groups")->alias("ls");
  lists->add_flag("--all", *all, "closed ones too");
  lists->callback([&chosen, all] {
    chosen.action = [all](Session& session) { return list_groups(session, *all); };
  });
  auto name = std::make_shared<std::string>();
  CLI::App* command = noun->add_subcommand("get", "one failure group");
  command->add_option("GROUP", *name, "its id, or the first digits of it")
      ->required()
      ->option_text(" ");
  command->callback([&chosen, name] {
    chosen.action = [name](Session& session) { return get_group(session, *name); };
  });
}

}  // namespace weir::app
