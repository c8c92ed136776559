// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/output.h"
#include "app/refusal.h"

namespace weir::app {
namespace {

const ListView kEvents{.member = "events",
                       .name = "ref",
                       .columns = {{"EVENT", "ref"},
                                   {"RECORDED", "recordedAt", CellKind::age},
                                   {"TYPE", "type", CellKind::text, 0, Fit::cut},
                                   {"SUBJECT", "subject", CellKind::text, 1, Fit::cut},
                                   {"BYTES", "dataBytes", CellKind::count, 3},
                                   {"ID", "id", CellKind::text, 2}},
                       .nothing = "No events there."};

const std::vector<Fact> kEventFacts = {{"event", "ref"},
                                       {"id", "id"},
                                       {"source", "source"},
                                       {"type", "type"},
                                       {"subject", "subject"},
                                       {"time", "time"},
                                       {"recorded", "recordedAt", CellKind::age},
                                       {"content type", "datacontenttype"},
                                       {"schema", "dataschema"},
                                       {"extensions", "extensions"},
                                       {"data bytes", "dataBytes", CellKind::count}};

struct EventListOptions {
  std::string stream;
  std::uint64_t from = 0;  // 0 = the newest
  std::size_t limit = 50;
};

// The one stream there is, if nobody said which.
int choose_stream(Session& session, std::string& stream) {
  if (!stream.empty()) return kExitOk;
  const Reply reply = session.get("/v1/streams");
  if (!reply) return reply.exit;
  const auto streams = member_at(reply.root(), "streams");
  if (!streams || streams->size() != 1) {
    std::string names;
    if (streams) {
      for (const wire::Json one : *streams)
        names += fmt::format("{}{}", names.empty() ? "" : ", ", shown_at(one, "stream"));
    }
    return session.fail(Error{Code::usage, "which stream?",
                              fmt::format("weir event list STREAM, one of: {}", names)});
  }
  stream = text_at(*streams->begin(), "stream");
  return kExitOk;
}

int list_events(Session& session, EventListOptions options) {
  if (const int exit = choose_stream(session, options.stream); exit != kExitOk) return exit;
  const Reply reply = session.get(
      "/v1/events" + query_of({{"stream", options.stream},
                               {"from", options.from == 0 ? "" : std::to_string(options.from)},
                               {"limit", std::to_string(options.limit)}}));
  if (!reply) return reply.exit;
  if (!print_list(session, reply, kEvents, session.now())) return kExitOk;
  const auto events = reply.root().find("events");
  if (options.from > 0 && events->size() == options.limit) {
    session.next(fmt::format("weir event list {} --from {}", options.stream,
                             count_at(reply.root(), "next")));
  } else {
    std::string last;
    for (const wire::Json event : *events) last = cell(event, "ref", CellKind::text, {});
    session.next(fmt::format("weir explain {}", last));
  }
  return kExitOk;
}

int get_event(Session& session, const std::string& reference) {
  const Reply reply = session.get(path_to("events", reference));
  if (!reply) return reply.exit;
  print_one(session, reply.root(), "ref", kEventFacts, session.now());
  session.next(fmt::format("weir explain {}", cell(reply.root(), "ref", CellKind::text, {})));
  return kExitOk;
}

// The bytes as they are; on a terminal only what is harmless there.
int print_bytes(Session& session, const Reply& reply) {
  if (!reply) return reply.exit;
  if (!session.terminal().output_tty) {
    session.print_bytes(*reply.body);
  } else {
    session.print(printable_lines(*reply.body) + "\n");
  }
  return kExitOk;
}

int payload(Session& session, const std::string& reference) {
  return print_bytes(session,
                     session.send({.path = path_to("events", reference, "payload")}, true));
}

int reveal(Session& session, const std::string& reference, bool whole) {
  return print_bytes(session, session.send({.method = "POST",
                                            .path = path_to("events", reference, "reveal") +
                                                    query_of({{"as", whole ? "event" : ""}}),
                                            .body = session.reason_body()},
                                           true));
}

}  // namespace

int explain_event(Session& session, const std::string& reference, const std::string& flow) {
  const std::string path = path_to("events", reference, "explain");
  if (session.is_table()) {
    const Reply reply = session.send(
        {.path = path + query_of({{"flow", flow}, {"format", "text"}})}, true);
    if (reply) session.print(*reply.body);
    return reply.exit;
  }
  const Reply reply = session.get(path + query_of({{"flow", flow}}));
  if (reply) session.print(render_data(session.options().format, reply.root(), "", "ref"));
  return reply.exit;
}

void add_event_commands(CLI::App& root, Chosen& chosen) {
  auto asked = std::make_shared<std::string>();
  auto flow = std::make_shared<std::string>();
  CLI::App* explains = root.add_subcommand("explain",
                                           "what happened to an event, why, and what to do next");
  explains->add_option("EVENT", *asked, "stream#seq or the event's id")
      ->required()
      ->option_text(" ");
  explains->add_option("--flow", *flow, "only in this flow")->option_text("FLOW");
  explains->callback([&chosen, asked, flow] {
    chosen.action = [asked, flow](Session& session) {
      return explain_event(session, *asked, *flow);
    };
  });

  CLI::App* noun = root.add_subcommand("event", "events as they came");
  noun->require_subcommand(1);
  auto options = std::make_shared<EventListOptions>();
  CLI::App* lists = noun->add_subcommand("list", "the newest events of a stream")->alias("ls");
  lists->add_option("STREAM", options->stream, "needed if there are several")->option_text(" ");
  lists->add_option("--from", options->from, "from this number on")->option_text("SEQ");
  lists->add_option("--limit", options->limit, "how many, up to 1000")
      ->check(CLI::Range(1, 1000))
      ->option_text("N");
  lists->callback([&chosen, options] {
    chosen.action = [options](Session& session) { return list_events(session, *options); };
  });
  const auto add = [&](const std::string& verb, const std::string& text,
                       int (*run)(Session&, const std::string&)) {
    auto reference = std::make_shared<std::string>();
    CLI::App* command = noun->add_subcommand(verb, text);
    command->add_option("EVENT", *reference, "stream#seq or the event's id")
        ->required()
        ->option_text(" ");
    command->callback([&chosen, reference, run] {
      chosen.action = [reference, run](Session& session) { return run(session, *reference); };
    });
  };
  add("get", "the attributes of one event", get_event);
  add("payload", "the data of one event; what is redacted is masked", payload);
  auto whole = std::make_shared<bool>();
  auto revealed = std::make_shared<std::string>();
  CLI::App* reveals = noun->add_subcommand(
      "reveal", "its data as it came, without masks; audited, needs --reason");
  reveals->add_option("EVENT", *revealed, "stream#seq or the event's id")
      ->required()
      ->option_text(" ");
  reveals->add_flag("--whole", *whole, "with its attributes, as JSON");
  reveals->callback([&chosen, revealed, whole] {
    chosen.action = [revealed, whole](Session& session) {
      return reveal(session, *revealed, *whole);
    };
  });
  add_edit_commands(*noun, chosen);
}

}  // namespace weir::app
