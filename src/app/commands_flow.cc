// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/output.h"

namespace weir::app {
namespace {

const ListView kFlows{.member = "flows",
                      .name = "flow",
                      .columns = {{"FLOW", "flow"},
                                  {"STREAM", "stream", CellKind::text, 3},
                                  {"TO", "dependency", CellKind::text, 1},
                                  {"STATUS", "status"},
                                  {"BACKLOG", "backlog", CellKind::count},
                                  {"WAITING", "waiting", CellKind::count},
                                  {"HELD", "held", CellKind::count, 2},
                                  {"QUARANTINED", "quarantined", CellKind::count},
                                  {"OLDEST", "oldestUnsettledAt", CellKind::age, 4}},
                      .nothing = "No flows."};

const std::vector<Fact> kFlowFacts = {{"flow", "flow"},
                                      {"stream", "stream"},
                                      {"dependency", "dependency"},
                                      {"path", "path"},
                                      {"status", "status"},
                                      {"because", "statusReason"},
                                      {"since", "since", CellKind::age},
                                      {"backlog", "backlog", CellKind::count},
                                      {"oldest not settled", "oldestUnsettledAt", CellKind::age},
                                      {"oldest ready", "oldestReadyAt", CellKind::age},
                                      {"waiting", "waiting", CellKind::count},
                                      {"retries due", "retriesDue", CellKind::count},
                                      {"held", "held", CellKind::count},
                                      {"quarantined", "quarantined", CellKind::count},
                                      {"ordering key", "orderingKey"},
                                      {"filter", "where"},
                                      {"max attempts", "maxAttempts", CellKind::count},
                                      {"idempotent", "idempotent"},
                                      {"settled below", "floor", CellKind::count},
                                      {"next to read", "nextSeq", CellKind::count}};

void suggest(Session& session, wire::Json flow) {
  const std::string name = text_at(flow, "flow");
  if (text_at(flow, "status") == "paused")
    return session.next(fmt::format("weir flow resume {} --reason TEXT", name));
  if (count_at(flow, "quarantined") > 0) session.next("weir group list");
}

int list_flows(Session& session) {
  const Reply reply = session.get("/v1/flows");
  if (!reply) return reply.exit;
  print_list(session, reply, kFlows, session.now());
  const auto removed = member_at(reply.root(), "removed");
  if (!session.is_table() || !removed) return kExitOk;
  for (const wire::Json flow : *removed) {
    session.note(fmt::format("{} was removed from the configuration; {} and {} of it are left",
                             cell(flow, "flow", CellKind::text, {}),
                             counted(count_at(flow, "quarantined"), "quarantined delivery"),
                             counted(count_at(flow, "waiting"), "waiting delivery")));
  }
  return kExitOk;
}

int get_flow(Session& session, const std::string& name) {
  const Reply reply = session.get(path_to("flows", name));
  if (!reply) return reply.exit;
  print_one(session, reply.root(), "flow", kFlowFacts, session.now());
  suggest(session, reply.root());
  return kExitOk;
}

int change(Session& session, const std::string& name, std::string_view verb) {
  const Reply reply = session.post(path_to("flows", name, verb), session.reason_body());
  if (!reply) return reply.exit;
  print_one(session, reply.root(), "flow", kFlowFacts, session.now());
  suggest(session, reply.root());
  return kExitOk;
}

std::string removal_body(const Session& session, bool break_glass) {
  wire::JsonWriter json;
  json.begin_object().field("reason", session.options().reason);
  if (break_glass) json.field("breakGlass", true);
  json.end_object();
  return std::move(json).take();
}

int remove(Session& session, const std::string& name, bool break_glass) {
  if (const auto refused = session.confirm(
          fmt::format("Remove the flow {}, its cursor and its quarantine?", name),
          "add --yes to go on")) {
    return *refused;
  }
  const Reply reply = session.send({.method = "DELETE",
                                    .path = path_to("flows", name),
                                    .headers = {{"content-type", "application/json"}},
                                    .body = removal_body(session, break_glass)});
  if (!reply) return reply.exit;
  print_one(session, reply.root(), "flow", {{"flow", "flow"}, {"removed", "removed"}},
            session.now());
  return kExitOk;
}

}  // namespace

void add_flow_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* noun = root.add_subcommand("flow", "from a stream to a handler, under a policy");
  noun->require_subcommand(1);
  noun->add_subcommand("list", "every flow with its backlog and quarantine")
      ->alias("ls")
      ->callback([&chosen] { chosen.action = list_flows; });
  const auto add = [&](const std::string& verb, const std::string& text, auto run) {
    auto name = std::make_shared<std::string>();
    CLI::App* command = noun->add_subcommand(verb, text);
    command->add_option("FLOW", *name)->required()->option_text(" ");
    command->callback([&chosen, name, run] {
      chosen.action = [name, run](Session& session) { return run(session, *name); };
    });
    return command;
  };
  add("get", "one flow", get_flow);
  add("pause", "stop delivering; needs --reason",
      [](Session& s, const std::string& n) { return change(s, n, "pause"); });
  add("resume", "go on delivering; needs --reason",
      [](Session& s, const std::string& n) { return change(s, n, "resume"); });
  auto glass = std::make_shared<bool>(false);
  CLI::App* removes = add(
      "remove", "forget a flow that has left the configuration; needs --reason",
      [glass](Session& s, const std::string& n) { return remove(s, n, *glass); });
  removes->alias("rm");
  add_break_glass(*removes, *glass);
}

}  // namespace weir::app
