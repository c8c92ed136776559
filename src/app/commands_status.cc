// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/output.h"
#include "app/world.h"

namespace weir::app {
namespace {

const std::vector<Column> kStatusFlows = {{"FLOW", "flow"},
                                          {"STATUS", "status"},
                                          {"BACKLOG", "backlog", CellKind::count},
                                          {"WAITING", "waiting", CellKind::count},
                                          {"HELD", "held", CellKind::count, 2},
                                          {"QUARANTINED", "quarantined", CellKind::count},
                                          {"OLDEST", "oldestUnsettledAt", CellKind::age, 1}};

const std::vector<Column> kStatusDependencies = {
    {"DEPENDENCY", "dependency"},
    {"BREAKER", "breaker"},
    {"IN FLIGHT", "inFlight", CellKind::count},
    {"LIMIT", "limit", CellKind::count},
    {"WAITS FOR", "waitsFor.reason", CellKind::text, 1, Fit::cut}};

const std::vector<Column> kAlarms = {{"ALARM", "type"},
                                     {"NAME", "name"},
                                     {"SINCE", "since", CellKind::age, 1},
                                     {"REASON", "reason", CellKind::text, 1, Fit::cut}};

const std::vector<Fact> kStore = {{"store", "store.kind"},
                                  {"events", "store.events", CellKind::count},
                                  {"on disk", "store.bytes", CellKind::bytes},
                                  {"durability", "durability"}};

int version(Session& session) {
  if (session.is_table()) {
    session.print(fmt::format("weir {}\n", kVersion));
    return kExitOk;
  }
  wire::JsonWriter json;
  json.begin_object().field("version", kVersion).end_object();
  return print_made(session, json.text(), "version", {}, session.now());
}

// "weir 0.1.0, ready: 3 deliveries in quarantine, 1 waiting for a retry"
std::string headline(wire::Json status) {
  return fmt::format(
      "weir {}, {}: {} in quarantine, {} waiting for a retry\n",
      cell(status, "version", CellKind::text, {}), flag_at(status, "ready") ? "ready" : "not ready",
      counted(count_at(status, "quarantined"), "delivery"), grouped(count_at(status, "waiting")));
}

// "activity-feed was paused 30 min ago: looking"
std::string pauses(wire::Json status, WallTime now) {
  std::string text;
  const auto flows = member_at(status, "flows");
  if (!flows) return text;
  for (const wire::Json flow : *flows) {
    if (text_at(flow, "status") != "paused") continue;
    text += fmt::format("{} was paused {}: {}\n", cell(flow, "flow", CellKind::text, now),
                        cell(flow, "since", CellKind::age, now),
                        cell(flow, "statusReason", CellKind::text, now));
  }
  return text.empty() ? text : "\n" + text;
}

int status(Session& session) {
  const Reply reply = session.get("/v1/status");
  if (!reply) return reply.exit;
  const wire::Json root = reply.root();
  if (!session.is_table()) {
    session.print(render_data(session.options().format, root, "", "version"));
    return kExitOk;
  }
  const WallTime now = session.now();
  session.print(headline(root) + fact_lines(root, kStore, now));
  if (flag_at(root, "store.full"))
    session.note("The store is full: new events are refused until there is room.");
  print_section(session, root, "flows", kStatusFlows, now);
  print_section(session, root, "dependencies", kStatusDependencies, now);
  session.print(pauses(root, now));
  print_section(session, root, "alarms", kAlarms, now);
  if (count_at(root, "quarantined") > 0) session.next("weir group list");
  return kExitOk;
}

}  // namespace

void add_status_commands(CLI::App& root, Chosen& chosen) {
  root.add_subcommand("status", "how Weir, its flows and its dependencies are")
      ->callback([&chosen] { chosen.action = status; });
  root.add_subcommand("version", "the version of this program")->callback([&chosen] {
    chosen.action = version;
  });
}

}  // namespace weir::app
