// SPDX-License-Identifier: Apache-2.0
// Two verbs of the noun `event`: edit, revisions.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/output.h"
#include "base/text.h"

namespace weir::app {
namespace {

struct EditOptions {
  std::string event;
  std::string flow;
  std::string file;
  bool revealed = false;
  bool dry_run = false;
};

std::string raw_at(wire::Json object, std::string_view name) {
  const auto found = object.find(name);
  return found ? std::string(found->raw()) : "";
}

// "  /note  "a" -> "b""
std::string change_lines(wire::Json holder) {
  std::string lines;
  const auto changes = member_at(holder, "changes");
  if (!changes) return lines;
  for (const wire::Json change : *changes) {
    const std::string before = raw_at(change, "before");
    const std::string after = raw_at(change, "after");
    const std::string what = before.empty()  ? fmt::format("new {}", after)
                             : after.empty() ? fmt::format("gone, was {}", before)
                                             : fmt::format("{} -> {}", before, after);
    lines += fmt::format("  {}  {}\n", printable(text_at(change, "pointer")), printable(what));
  }
  return lines;
}

constexpr std::size_t kDocumentMax = 16 * 1024 * 1024;  // bytes

constexpr const char* kPrintFirst = "weir event edit EVENT --flow FLOW > FILE";

Result<std::string> read_document(const std::string& name) {
  const auto wrong = [&](std::string_view what) {
    return Error{Code::usage, fmt::format("'{}' {}", printable(name), what), kPrintFirst};
  };
  std::ifstream file(name == "-" ? "/dev/stdin" : name, std::ios::binary);
  if (!file) return wrong(fmt::format("cannot be opened: {}", std::strerror(errno)));
  std::string text(kDocumentMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return wrong("cannot be read");  // a folder
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.empty()) return wrong("is empty");
  if (text.size() > kDocumentMax)
    return wrong(fmt::format("is larger than {} bytes", kDocumentMax));
  return text;
}

// It has what was printed and nothing else, so that nobody believes in an edit that is not one.
Result<> check_members(wire::Json root, const std::string& file) {
  static const std::vector<std::string> kKnown = {"ref",  "flow",       "revision",
                                                  "base", "attributes", "data"};
  if (!root.is(wire::JsonType::object) || !root.find("base")) {
    return Error{Code::usage, fmt::format("{} is no document of `weir event edit`", file),
                 fmt::format("{}, edit its data, and give it back", kPrintFirst)};
  }
  for (const wire::Json member : root) {
    const std::string name(member.key());
    if (std::ranges::find(kKnown, name) != kKnown.end()) continue;
    return Error{Code::usage, fmt::format("{} has an unknown member '{}'", file, printable(name)),
                 did_you_mean(name, kKnown)};
  }
  return {};
}

// The document may be that of another delivery; `now` is that of the one that the command names.
Result<> check_same(wire::Json root, wire::Json now, const std::string& file) {
  for (const char* name : {"ref", "flow"}) {
    const std::string written = raw_at(root, name);
    if (written.empty() || written == raw_at(now, name)) continue;
    return Error{Code::usage,
                 fmt::format("{} is about {}/{}, and the command about {}/{}", file,
                             printable(text_at(root, "flow")), printable(text_at(root, "ref")),
                             printable(text_at(now, "flow")), printable(text_at(now, "ref"))),
                 "name the event and the --flow that it was printed for"};
  }
  return {};
}

// The document as it was printed, after somebody edited it.
std::string edit_body(const Session& session, const EditOptions& options, wire::Json root) {
  wire::JsonWriter json;
  json.begin_object();
  for (const char* name : {"base", "attributes", "data"}) {
    if (const auto member = root.find(name)) json.key(name).raw(member->raw());
  }
  if (!session.options().reason.empty()) json.field("reason", session.options().reason);
  json.field("revealed", options.revealed).field("dryRun", options.dry_run).end_object();
  return std::move(json).take();
}

std::string edit_path(const EditOptions& options, std::string_view verb) {
  return path_to("events", options.event, verb) + query_of({{"flow", options.flow}});
}

int print_document(Session& session, const EditOptions& options) {
  const Reply reply = session.get(edit_path(options, "edit"));
  if (!reply) return reply.exit;
  session.print(render_data(Format::json, reply.root(), "", "ref"));
  session.next("edit its data, then the same command with --file FILE and --reason TEXT");
  return kExitOk;
}

int edit_event(Session& session, const EditOptions& options) {
  if (options.file.empty()) return print_document(session, options);
  const auto text = read_document(options.file);
  if (!text.ok()) return session.fail(text.error());
  const auto document = wire::parse_json(*text);
  if (!document.ok()) return session.fail(document.error());
  const wire::Json root = document->root();
  if (const auto whole = check_members(root, options.file); !whole.ok())
    return session.fail(whole.error());
  const Reply now = session.get(edit_path(options, "edit"));
  if (!now) return now.exit;
  if (const auto same = check_same(root, now.root(), options.file); !same.ok())
    return session.fail(same.error());
  const Reply reply = session.post(edit_path(options, "edit"), edit_body(session, options, root));
  if (!reply) return reply.exit;
  if (!session.is_table()) {
    session.print(render_data(session.options().format, reply.root(), "", "ref"));
    return kExitOk;
  }
  const std::string name = fmt::format("{}/{}", text_at(reply.root(), "flow"),
                                       text_at(reply.root(), "ref"));
  session.print(fmt::format("{}revision {} of {}\n", options.dry_run ? "would be " : "",
                            count_at(reply.root(), "revision"), printable(name)));
  session.print(change_lines(reply.root()));
  session.next(options.dry_run ? "the same without --dry-run and with --reason TEXT"
                               : fmt::format("weir replay plan {} --dry-run", printable(name)));
  return kExitOk;
}

int list_revisions(Session& session, const EditOptions& options) {
  const Reply reply = session.get(edit_path(options, "revisions"));
  if (!reply) return reply.exit;
  if (!session.is_table()) {
    session.print(render_data(session.options().format, reply.root(), "revisions", "revision",
                              session.options().headers));
    return kExitOk;
  }
  const auto revisions = reply.root().find("revisions");
  if (revisions->size() == 0) {
    session.print("It was not edited: what is sent is the event as it came.\n");
    return kExitOk;
  }
  for (const wire::Json one : *revisions) {
    session.print(fmt::format("revision {}  {}  by {}: {}\n", count_at(one, "revision"),
                              text_at(one, "at"), printable(text_at(one, "editor")),
                              printable(text_at(one, "reason"))));
    session.print(change_lines(one));
  }
  return kExitOk;
}

CLI::App* add_verb(CLI::App& noun, const std::string& verb, const std::string& text,
                   EditOptions& options) {
  CLI::App* added = noun.add_subcommand(verb, text);
  added->add_option("EVENT", options.event, "stream#seq or the event's id")
      ->required()
      ->option_text(" ");
  added->add_option("--flow", options.flow, "whose delivery it is")->option_text("FLOW");
  return added;
}

}  // namespace

void add_edit_commands(CLI::App& event, Chosen& chosen) {
  auto options = std::make_shared<EditOptions>();
  CLI::App* edits = add_verb(
      event, "edit", "what a quarantined delivery sends: print it, or make a revision", *options);
  edits->add_option("--file", options->file, "the document that was printed, edited; - is stdin")
      ->option_text("FILE");
  edits->add_flag("--revealed", options->revealed,
                  "it changes what is redacted, which was looked at; audited");
  edits->add_flag("--dry-run", options->dry_run, "show what would change");
  edits->callback([&chosen, options] {
    chosen.action = [options](Session& session) { return edit_event(session, *options); };
  });
  auto asked = std::make_shared<EditOptions>();
  add_verb(event, "revisions", "who edited it, why, and what changed", *asked)
      ->callback([&chosen, asked] {
        chosen.action = [asked](Session& session) { return list_revisions(session, *asked); };
      });
}

}  // namespace weir::app
