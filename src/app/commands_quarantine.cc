// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/output.h"
#include "app/selection_flags.h"
#include "base/text.h"

namespace weir::app {
namespace {

const ListView kDeliveries{.member = "deliveries",
                           .name = "name",
                           .columns = {{"EVENT", "ref"},
                                       {"FLOW", "flow"},
                                       {"CLASS", "class"},
                                       {"SINCE", "changedAt", CellKind::age},
                                       {"ATTEMPTS", "attempts", CellKind::count, 3},
                                       {"REPLAYS", "replays", CellKind::count, 4},
                                       {"IN DOUBT", "inDoubt", CellKind::text, 5},
                                       {"ARCHIVED", "archived", CellKind::text, 6},
                                       {"KEY", "key", CellKind::text, 2, Fit::cut},
                                       {"REASON", "reason", CellKind::text, 1, Fit::cut}},
                           .nothing = "Nothing in quarantine."};

struct QuarantineListOptions {
  SelectionFlags selection;
  std::string cursor;
  std::size_t limit = 100;
};

constexpr std::string_view kAskHint = "add --yes to go on, or --dry-run to look first";

struct Settle {
  std::string_view verb;  // of the API
  std::string_view done;  // "resolved"
  bool settles = false;   // for good
};

int list_quarantine(Session& session, QuarantineListOptions options) {
  if (const auto read = resolve_where(options.selection); !read.ok())
    return session.fail(read.error());
  auto query = selection_query(options.selection);
  query.emplace_back("limit", std::to_string(options.limit));
  query.emplace_back("cursor", options.cursor);
  const Reply reply = session.get("/v1/quarantine" + query_of(query));
  if (!reply) return reply.exit;
  if (!print_list(session, reply, kDeliveries, session.now())) return kExitOk;
  const std::string cursor = text_at(reply.root(), "cursor");
  if (!cursor.empty())
    session.note(fmt::format("There are more: --cursor {} shows them.", printable(cursor)));
  const auto rows = reply.root().find("deliveries");
  session.next(fmt::format("weir explain {}", cell(*rows->begin(), "ref", CellKind::text, {})));
  return kExitOk;
}

struct How {
  bool dry_run = false;
  bool break_glass = false;
};

std::string settle_body(const Session& session, const SelectionFlags& selection, How how) {
  wire::JsonWriter json;
  json.begin_object();
  write_selection(json, selection);
  if (!session.options().reason.empty()) json.field("reason", session.options().reason);
  if (how.break_glass) json.field("breakGlass", true);
  json.field("dryRun", how.dry_run).end_object();
  return std::move(json).take();
}

// "github#1, github#2, …" of an answer about `selected` deliveries.
std::string samples_of(wire::Json answer) {
  std::string text;
  const auto samples = member_at(answer, "samples");
  if (!samples) return text;
  for (const wire::Json sample : *samples) {
    if (sample.is(wire::JsonType::string))
      text += fmt::format("{}{}", text.empty() ? "" : ", ", printable(sample.string()));
  }
  return samples->size() < count_at(answer, "selected") ? text + ", …" : text;
}

void show(const Session& session, wire::Json answer, const Settle& settle) {
  if (!session.is_table()) {
    session.print(render_data(session.options().format, answer, "", "selected"));
    return;
  }
  const std::uint64_t selected = count_at(answer, "selected");
  const std::string samples = samples_of(answer);
  const std::string tail = samples.empty() ? "" : ": " + samples;
  if (flag_at(answer, "dryRun")) {
    session.print(
        fmt::format("{} would be {}{}\n", counted(selected, "delivery"), settle.done, tail));
    return;
  }
  session.print(fmt::format("{} {}, {} skipped{}\n",
                            counted(count_at(answer, "settled"), "delivery"), settle.done,
                            grouped(count_at(answer, "skipped")), tail));
}

// Looks first, then asks with the count. nullopt = go on.
std::optional<int> ask(Session& session, const std::string& path, const SelectionFlags& selection,
                       const Settle& settle) {
  if (session.options().yes || selection.is_single()) return std::nullopt;
  const std::string verb(settle.verb);
  if (!session.terminal().input_tty)
    return session.confirm(fmt::format("This may {} many deliveries.", verb), kAskHint);
  const Reply reply = session.post(path, settle_body(session, selection, {.dry_run = true}));
  if (!reply) return reply.exit;
  const std::uint64_t selected = count_at(reply.root(), "selected");
  return session.confirm(fmt::format("{}{} {}?", static_cast<char>(verb[0] - 'a' + 'A'),
                                     verb.substr(1), counted(selected, "delivery")),
                         kAskHint);
}

int settle(Session& session, SelectionFlags selection, const Settle& settle, How how) {
  if (selection.empty()) {
    return session.fail(
        Error{Code::usage, "nothing is selected",
              "name events, or give --group, --flow, --class, --since, --until or --where"});
  }
  if (const auto read = resolve_where(selection); !read.ok()) return session.fail(read.error());
  if (!how.dry_run && session.options().reason.empty()) {
    return session.fail(Error{Code::reason_required,
                              "settling quarantined deliveries needs a reason",
                              "add --reason TEXT"});
  }
  const std::string path = fmt::format("/v1/quarantine/{}", settle.verb);
  if (!how.dry_run) {
    if (const auto refused = ask(session, path, selection, settle)) return *refused;
  }
  const Reply reply = session.post(path, settle_body(session, selection, how));
  if (!reply) return reply.exit;
  show(session, reply.root(), settle);
  return kExitOk;
}

constexpr Settle kResolve{"resolve", "resolved", true};
constexpr Settle kDiscard{"discard", "discarded", true};
constexpr Settle kArchive{"archive", "archived"};
constexpr Settle kRestore{"restore", "restored"};

}  // namespace

void add_quarantine_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* noun = root.add_subcommand("quarantine", "deliveries that need a decision");
  noun->require_subcommand(1);

  auto options = std::make_shared<QuarantineListOptions>();
  CLI::App* lists = noun->add_subcommand("list", "what is in quarantine")->alias("ls");
  add_selection_flags(*lists, options->selection, false);
  lists->add_option("--limit", options->limit, "how many, up to 1000")
      ->check(CLI::Range(1, 1000))
      ->option_text("N");
  lists->add_option("--cursor", options->cursor, "go on where a list ended")->option_text("CURSOR");
  lists->callback([&chosen, options] {
    chosen.action = [options](Session& session) { return list_quarantine(session, *options); };
  });

  auto event = std::make_shared<std::string>();
  auto flow = std::make_shared<std::string>();
  CLI::App* gets = noun->add_subcommand("get", "one event and why it is there, as `weir explain`");
  gets->add_option("EVENT", *event, "stream#seq or the event's id")->required()->option_text(" ");
  gets->add_option("--flow", *flow, "only in this flow")->option_text("FLOW");
  gets->callback([&chosen, event, flow] {
    chosen.action = [event, flow](Session& session) {
      return explain_event(session, *event, *flow);
    };
  });

  const auto add = [&](const Settle& how, const std::string& text) {
    auto selection = std::make_shared<SelectionFlags>();
    auto asked = std::make_shared<How>();
    CLI::App* command = noun->add_subcommand(std::string(how.verb), text);
    add_selection_flags(*command, *selection);
    command->add_flag("--dry-run", asked->dry_run, "only say what would be done");
    if (how.settles) add_break_glass(*command, asked->break_glass);
    command->callback([&chosen, selection, asked, how] {
      chosen.action = [selection, asked, how](Session& session) {
        return settle(session, *selection, how, *asked);
      };
    });
  };
  add(kResolve, "settle deliveries that were mended elsewhere; needs --reason");
  add(kDiscard, "give deliveries up for good; needs --reason");
  add(kArchive, "put deliveries aside: no replay takes them; needs --reason");
  add(kRestore, "take archived deliveries back; needs --reason");
}

}  // namespace weir::app
