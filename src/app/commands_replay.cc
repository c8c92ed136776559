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
                      .columns = {{"EVENT", "ref"},
                                  {"FLOW", "flow"},
                                  {"STATE", "state"},
                                  {"REVISION", "revision", CellKind::count}},
                      .nothing = "No such items."};

struct ItemOptions {
  std::string replay;
  std::string state;
  std::string cursor;
  std::size_t limit = 100;
};

struct Command {
  std::string replay;
  std::string hash;
  std::string wait;
  bool watch = false;
  bool dry_run = false;
  bool break_glass = false;
};

// It names the plan that was shown, so that no other one is run.
std::string run_command(wire::Json replay) {
  return fmt::format("weir replay run {} --hash {} --watch",
                     cell(replay, "replay", CellKind::text, {}),
                     cell(replay, "hash", CellKind::text, {}));
}

// The document to send, from the file or from the other options.
Result<std::string> document_of(const ReplayPlanFlags& given, const std::string& reason) {
  ReplayPlanFlags flags = given;
  if (!flags.file.empty()) {
    if (!flags.has_settings()) return read_plan_file(flags.file);
    return Error{Code::usage, "--file is the whole plan",
                 "write the other options into the file, or leave it out"};
  }
  if (flags.selection.empty()) {
    return Error{
        Code::empty_selection, "nothing is selected to replay",
        "name events, or give --group, --flow, --dependency, --class, --status, --key, --type, "
        "--mark, --since, --until, --where or --file"};
  }
  WEIR_CHECK(resolve_where(flags.selection));
  return replay_plan_document(flags, reason);
}

int plan(Session& session, const ReplayPlanFlags& flags) {
  const std::string& reason = session.options().reason;
  const auto document = document_of(flags, reason);
  if (!document.ok()) return session.fail(document.error());
  const Reply reply = session.post(
      "/v1/replays" + query_of({{"dryRun", flags.dry_run ? "true" : ""},
                                {"reason", flags.file.empty() ? "" : reason}}),
      *document);
  if (!reply) return reply.exit;
  const auto would = member_at(reply.root(), "would");
  const wire::Json replay = would.value_or(reply.root());
  if (!session.is_table()) {
    session.print(
        render_data(session.options().format, would ? reply.root() : replay, "", "replay"));
    return kExitOk;
  }
  if (would) session.print("A dry run: nothing was planned.\n");
  const auto forecast = member_at(reply.root(), "forecast");
  session.print(plan_text(replay, forecast));
  if (forecast) session.print(forecast_text(*forecast));
  if (would) {
    session.next("the same without --dry-run and with --reason TEXT");
    return kExitOk;
  }
  session.next(run_command(replay));
  return kExitOk;
}

int edit(Session& session, const std::string& id, const std::string& file) {
  const auto document = read_plan_file(file);
  if (!document.ok()) return session.fail(document.error());
  const Reply reply = session.send(
      {.method = "PUT",
       .path = path_to("replays", id) + query_of({{"reason", session.options().reason}}),
       .headers = {{"content-type", "application/json"}},
       .body = *document});
  if (!reply) return reply.exit;
  if (!session.is_table()) {
    session.print(render_data(session.options().format, reply.root(), "", "replay"));
    return kExitOk;
  }
  session.print(plan_text(reply.root()));
  session.next(run_command(reply.root()));
  return kExitOk;
}

int list_replays(Session& session) {
  const Reply reply = session.get("/v1/replays");
  if (!reply) return reply.exit;
  print_list(session, reply, kReplays, session.now());
  return kExitOk;
}

int get_replay(Session& session, const std::string& id) {
  const Reply reply = session.get(path_to("replays", id) + query_of({{"joined", "true"}}));
  if (!reply) return reply.exit;
  if (!session.is_table()) {
    session.print(render_data(session.options().format, reply.root(), "", "replay"));
    return kExitOk;
  }
  session.print(plan_text(reply.root()));
  if (text_at(reply.root(), "state") == "planned") {
    session.next(run_command(reply.root()));
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

std::string word_of(const Session& session, const Command& asked) {
  wire::JsonWriter json;
  json.begin_object();
  if (!session.options().reason.empty()) json.field("reason", session.options().reason);
  if (!asked.hash.empty()) json.field("hash", asked.hash);
  if (!asked.wait.empty()) json.field("wait", asked.wait);
  if (asked.break_glass) json.field("breakGlass", true);
  json.end_object();
  return std::move(json).take();
}

int command(Session& session, const Command& asked, std::string_view verb) {
  if (asked.dry_run) {
    if (session.is_table()) session.note("A dry run: nothing was started.");
    return get_replay(session, asked.replay);
  }
  const Reply reply = session.post(path_to("replays", asked.replay, verb), word_of(session, asked));
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
                   "planned, claimed, succeeded, failedAgain, discarded, skipped, inDoubt or stale")
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
    if (starts)
      added->add_option("--hash", asked->hash, "only if the plan is still this one")
          ->option_text("HASH");
    if (starts) add_break_glass(*added, asked->break_glass);
    if (verb == "run") {
      added->add_flag("--dry-run", asked->dry_run, "only say what it would do");
      added
          ->add_option("--wait", asked->wait,
                       "start by itself as soon as its preconditions hold, within this time")
          ->option_text("DURATION");
    }
    added->callback([&chosen, asked, verb] {
      chosen.action = [asked, verb](Session& session) { return command(session, *asked, verb); };
    });
  };
  auto edited = std::make_shared<std::pair<std::string, std::string>>();
  CLI::App* edits = add_verb(
      *noun, "edit", "another plan for the same deliveries, before it is run", edited->first);
  edits->add_option("--file", edited->second, "the plan, in YAML or JSON")
      ->required()
      ->option_text("FILE");
  edits->callback([&chosen, edited] {
    chosen.action = [edited](Session& session) {
      return edit(session, edited->first, edited->second);
    };
  });
  add("run", "start a planned replay", true);
  add("pause", "release no more until it is resumed", false);
  add("resume", "go on with a paused or stopped replay", true);
  add("slow", "half the rate from now on", false);
  add("abort", "end a replay; what was not sent stays in quarantine", false);
  add_replay_approve(*noun, chosen);
  add_reads(*noun, chosen);
}

}  // namespace weir::app
