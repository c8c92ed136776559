// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/group_text.h"
#include "app/output.h"
#include "base/text.h"

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
                                       {"sample", "sample"},
                                       {"owner", "owner"},
                                       {"note", "note"},
                                       {"snoozed", "snoozedUntil"},
                                       {"merged into", "mergedInto"}};

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
  if (session.is_table()) {
    const Reply insight = session.get(path_to("groups", name, "insight"));
    if (!insight) return insight.exit;
    session.print(insight_text(insight.root(), session.now()));
  }
  session.next(fmt::format("weir explain {} --flow {}", cell(group, "sample", CellKind::text, {}),
                           cell(group, "flow", CellKind::text, {})));
  if (count_at(group, "open") > 0) {
    session.next(fmt::format("weir replay plan --group {} --dry-run",
                             cell(group, "group", CellKind::text, {})));
  }
  return kExitOk;
}

const ListView kParts{.member = "parts",
                      .name = "value",
                      .columns = {{"MEMBERS", "members", CellKind::count},
                                  {"VALUE", "value", CellKind::text, 0, Fit::cut},
                                  {"SELECTED BY", "where", CellKind::text, 1, Fit::cut}},
                      .nothing = "The group has no members."};

int split_group(Session& session, const std::string& name, const std::string& by) {
  const Reply reply = session.get(path_to("groups", name, "split") + query_of({{"by", by}}));
  if (!reply) return reply.exit;
  if (!print_list(session, reply, kParts, session.now())) return kExitOk;
  const auto parts = reply.root().find("parts");
  for (const wire::Json part : *parts) {
    const auto where = part.find("where");
    if (!where) continue;
    session.next(fmt::format("weir replay plan --group {} --where '{}' --dry-run", name,
                             printable(where->raw())));
    break;
  }
  return kExitOk;
}

// One member of what is said about a group.
int annotate_group(Session& session, const std::string& name, std::string_view member,
                   const std::string& value) {
  wire::JsonWriter json;
  json.begin_object().field(member, value);
  if (!session.options().reason.empty()) json.field("reason", session.options().reason);
  json.end_object();
  const Reply reply = session.send({.method = "PATCH",
                                    .path = path_to("groups", name),
                                    .headers = {{"content-type", "application/json"}},
                                    .body = std::move(json).take()});
  if (!reply) return reply.exit;
  print_one(session, reply.root(), "group", kGroupFacts, session.now());
  return kExitOk;
}

struct Annotation {
  const char* verb;
  const char* text;
  const char* member;
  const char* argument;
  const char* help;
};
constexpr Annotation kAnnotations[] = {
    {"rename", "call it something else; \"\" takes that back", "name", "NAME", "its new name"},
    {"assign", "say who looks after it, which ends its alarm", "owner", "OWNER",
     "a person or a team"},
    {"note", "leave a note for others", "note", "TEXT", "what they should know"},
    {"snooze", "no alarm for a time, such as 2h; \"\" wakes it", "snoozeUntil", "TIME",
     "a time, or so long from now"},
    {"merge", "show and select it as a part of another one; \"\" takes that back", "mergeInto",
     "INTO", "the group it becomes a part of"}};

void add_annotations(CLI::App& noun, Chosen& chosen) {
  for (const Annotation& one : kAnnotations) {
    auto said = std::make_shared<std::pair<std::string, std::string>>();
    CLI::App* command = noun.add_subcommand(one.verb, one.text);
    command->add_option("GROUP", said->first, "its id, or the first digits of it")
        ->required()
        ->option_text(" ");
    command->add_option(one.argument, said->second, one.help)->required()->option_text(" ");
    command->callback([&chosen, said, member = one.member] {
      chosen.action = [said, member](Session& session) {
        return annotate_group(session, said->first, member, said->second);
      };
    });
  }
}

int mark(Session& session, const std::string& title, const std::string& target) {
  wire::JsonWriter json;
  json.begin_object().field("title", title);
  if (!target.empty()) json.field("target", target);
  json.end_object();
  const Reply reply = session.post("/v1/markers", std::move(json).take());
  if (!reply) return reply.exit;
  print_one(session, reply.root(), "title",
            {{"marker", "title"}, {"target", "target"}, {"at", "at"}}, session.now());
  return kExitOk;
}

}  // namespace

void add_marker_command(CLI::App& root, Chosen& chosen) {
  auto said = std::make_shared<std::pair<std::string, std::string>>();
  CLI::App* command = root.add_subcommand("marker",
                                          "note that something happened outside, such as a deploy");
  command->add_option("TITLE", said->first, "what happened")->required()->option_text(" ");
  command->add_option("--target", said->second, "to what it happened")->option_text("NAME");
  command->callback([&chosen, said] {
    chosen.action = [said](Session& session) { return mark(session, said->first, said->second); };
  });
}

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
  auto split = std::make_shared<std::pair<std::string, std::string>>();
  CLI::App* splits = noun->add_subcommand("split", "its members by the value of a field");
  splits->add_option("GROUP", split->first, "its id, or the first digits of it")
      ->required()
      ->option_text(" ");
  splits->add_option("--by", split->second, "type, another attribute, or data.MEMBER")
      ->required()
      ->option_text("FIELD");
  splits->callback([&chosen, split] {
    chosen.action = [split](Session& session) {
      return split_group(session, split->first, split->second);
    };
  });
  add_annotations(*noun, chosen);
}

}  // namespace weir::app
