// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/output.h"
#include "app/replay_plan_flags.h"
#include "app/replay_text.h"
#include "app/replay_watch.h"
#include "base/text.h"

namespace weir::app {
namespace {

const ListView kReplays{.member = "replays",
                        .name = "replay",
                        .columns = {{"REPLAY", "replay"},
                                    {"STATE", "state"},
                                    {"PLANNED", "counts.planned", CellKind::count},
                                    {"SENT", "counts.sent", CellKind::count, 3},
                                    {"SUCCEEDED", "counts.succeeded", CellKind::count},
                                    {"FAILED AGAIN", "counts.failedAgain", CellKind::count},
                                    {"SKIPPED", "counts.skipped", CellKind::count, 4},
                                    {"IN DOUBT", "counts.inDoubt", CellKind::count, 5},
                                    {"CREATED", "createdAt", CellKind::age, 2},
                                    {"REASON", "plan.reason", CellKind::text, 1, Fit::cut}},
                        .nothing = "No replays."};

const ListView kItems{.member = "items",
                      .name = "ref",
                      .columns = {{"EVENT", "ref"}, {"FLOW", "flow"}, {"STATE", "state"}},
                      .nothing = "No such items."};

struct ItemOptions {
  std::string replay;
  std::string state;
  std::string cursor;
  std::size_t limit = 100;
};

struct Command {
  std::string replay;
  bool watch = false;
  bool dry_run = false;
};

int plan(Session& session, ReplayPlanFlags flags) {
  if (flags.selection.empty()) {
    return session.fail(
        Error{Code::empty_selection, "nothing is selected to replay",
              "name events, or give --group, --flow, --class, --since, --until or --where"});
  }
  if (const auto read = resolve_where(flags.selection); !read.ok())
    return session.fail(read.error());
  const Reply reply = session.post("/v1/replays",
                                   replay_plan_body(flags, session.options().reason));
  if (!reply) return reply.exit;
  const auto would = member_at(reply.root(), "would");
  const wire::Json replay = would.value_or(reply.root());
  if (!session.is_table()) {
    session.print(
        render_data(session.options().format, would ? reply.root() : replay, "", "replay"));
    return kExitOk;
  }
  if (would) session.print("A dry run: nothing was planned.\n");
  session.print(plan_text(replay));
  if (!would)
    session.next(
        fmt::format("weir replay run {} --watch", cell(replay, "replay", CellKind::text, {})));
  if (would) session.next("the same without --dry-run and with --reason TEXT");
  return kExitOk;
}

int list_replays(Session& session) {
  const Reply reply = session.get("/v1/replays");
  if (!reply) return reply.exit;
  print_list(session, reply, kReplays, session.now());
  return kExitOk;
}

int get_replay(Session& session, const std::string& id) {
  const Reply reply = session.get(path_to("replays", id));
  if (!reply) return reply.exit;
  if (!session.is_table()) {
    session.print(render_data(session.options().format, reply.root(), "", "replay"));
    return kExitOk;
  }
  session.print(plan_text(reply.root()));
  if (text_at(reply.root(), "state") == "planned") {
    session.next(fmt::format("weir replay run {} --watch",
                             cell(reply.root(), "replay", CellKind::text, {})));
    return kExitOk;
  }
  session.print("\n");
  show_report(session, reply.root());
  return kExitOk;
}

int report(Session& session, const std::string& id) {
  const Reply reply = session.get(path_to("replays", id));
  if (!reply) return reply.exit;
  show_report(session, reply.root());
  return kExitOk;
}

int items(Session& session, const ItemOptions& options) {
  const Reply reply = session.get(path_to("replays", options.replay, "items") +
                                  query_of({{"state", options.state},
                                            {"limit", std::to_string(options.limit)},
                                            {"cursor", options.cursor}}));
  if (!reply) return reply.exit;
  if (!print_list(session, reply, kItems, session.now())) return kExitOk;
  const std::string cursor = text_at(reply.root(), "cursor");
  if (!cursor.empty())
    session.note(fmt::format("There are more: --cursor {} shows them.", printable(cursor)));
  const auto found = reply.root().find("items");
  session.next(fmt::format("weir explain {}", cell(*found->begin(), "ref", CellKind::text, {})));
  return kExitOk;
}

int command(Session& session, const Command& asked, std::string_view verb) {
  if (asked.dry_run) {
    if (session.is_table()) session.note("A dry run: nothing was started.");
    return get_replay(session, asked.replay);
  }
  const Reply reply = session.post(path_to("replays", asked.replay, verb), session.reason_body());
  if (!reply) return reply.exit;
  if (asked.watch) return watch_replay(session, asked.replay);
  show_report(session, reply.root());
  return kExitOk;
}

CLI::App* add_verb(CLI::App& noun, const std::string& verb, const std::string& text,
                   std::string& id) {
  CLI::App* added = noun.add_subcommand(verb, text);
  added->add_option("REPLAY", id, "r12, or 12")->required()->option_text(" ");
  return added;
}

void add_reads(CLI::App& noun, Chosen& chosen) {
  noun.add_subcommand("list", "every replay, the newest first")->alias("ls")->callback([&chosen] {
    chosen.action = list_replays;
  });
  const auto add = [&](const std::string& verb, const std::string& text,
                       int (*run)(Session&, const std::string&)) {
    auto id = std::make_shared<std::string>();
    add_verb(noun, verb, text, *id)->callback([&chosen, id, run] {
      chosen.action = [id, run](Session& session) { return run(session, *id); };
    });
  };
  add("get", "the plan of a replay and how far it is", get_replay);
  add("watch", "follow a replay to its end", watch_replay);
  add("report", "how a replay went", report);

  auto options = std::make_shared<ItemOptions>();
  CLI::App* added = add_verb(noun, "items", "the deliveries of a replay", options->replay);
  added
      ->add_option("--state", options->state,
                   "planned, claimed, succeeded, failedAgain, skipped or inDoubt")
      ->option_text("STATE");
  added->add_option("--limit", options->limit, "how many, up to 1000")
      ->check(CLI::Range(1, 1000))
      ->option_text("N");
  added->add_option("--cursor", options->cursor, "go on where a list ended")->option_text("CURSOR");
  added->callback([&chosen, options] {
    chosen.action = [options](Session& session) { return items(session, *options); };
  });
}

}  // namespace

void add_replay_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* noun = root.add_subcommand("replay", "put quarantined deliveries back, under a plan");
  noun->require_subcommand(1);
  auto flags = std::make_shared<ReplayPlanFlags>();
  CLI::App* plans = noun->add_subcommand(
      "plan",
      "freeze a selection and say how it will be replayed; needs "
      "--reason");
  add_replay_plan_flags(*plans, *flags);
  plans->callback([&chosen, flags] {
    chosen.action = [flags](Session& session) { return plan(session, *flags); };
  });
  const auto add = [&](const std::string& verb, const std::string& text, bool starts) {
    auto asked = std::make_shared<Command>();
    CLI::App* added = add_verb(*noun, verb, text, asked->replay);
    if (starts) added->add_flag("-w,--watch", asked->watch, "follow it to its end");
    if (verb == "run") added->add_flag("--dry-run", asked->dry_run, "only say what it would do");
    added->callback([&chosen, asked, verb] {
      chosen.action = [asked, verb](Session& session) { return command(session, *asked, verb); };
    });
  };
  add("run", "start a planned replay", true);
  add("pause", "release no more until it is resumed", false);
  add("resume", "go on with a paused or stopped replay", true);
  add("abort", "end a replay; what was not sent stays in quarantine", false);
  add_reads(*noun, chosen);
}

}  // namespace weir::app
