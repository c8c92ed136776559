// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/key_files.h"
#include "app/output.h"
#include "app/private_files.h"
#include "base/text.h"
#include "store/sqlite/check.h"

namespace weir::app {
namespace {

namespace sqlite = store::sqlite;

void write_texts(wire::JsonWriter& json, std::string_view name,
                 const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

const std::vector<Fact> kCounts = {{"events", "events", CellKind::count},
                                   {"kept for open deliveries", "keptEvents", CellKind::count},
                                   {"delivery rows", "deliveries", CellKind::count},
                                   {"settlements", "settlements", CellKind::count},
                                   {"groups", "groups", CellKind::count},
                                   {"replay items", "replayItems", CellKind::count},
                                   {"audit entries", "auditEntries", CellKind::count},
                                   {"encrypted records", "encrypted", CellKind::count},
                                   {"plain records", "plain", CellKind::count},
                                   {"not opened, no key", "unopened", CellKind::count},
                                   {"shredded", "shredded", CellKind::count}};

// Of --key-file, or null.
Result<std::shared_ptr<store::Keyring>> ring_of(const std::string& key_file) {
  if (key_file.empty()) return std::shared_ptr<store::Keyring>();
  WEIR_TRY(store::MasterKey key, read_key_file(key_file));
  return std::make_shared<store::Keyring>(store::Keyring::Keys{std::move(key)});
}

int check(Session& session, const std::string& folder, const std::string& key_file) {
  const auto ring = ring_of(key_file);
  if (!ring.ok()) return session.fail(ring.error());
  const auto report = sqlite::check(folder, "", *ring);
  if (!report.ok()) return session.fail(report.error());
  wire::JsonWriter json;
  json.begin_object()
      .field("sound", report->sound())
      .field("problemsTotal", report->problems_total);
  write_texts(json, "problems", report->problems);
  json.field("events", report->events)
      .field("keptEvents", report->kept_events)
      .field("deliveries", report->deliveries);
  json.field("settlements", report->settlements).field("groups", report->groups);
  json.field("replayItems", report->replay_items).field("auditEntries", report->audit_entries);
  json.field("encrypted", report->encrypted).field("plain", report->plain);
  json.field("unopened", report->unopened).field("shredded", report->shredded).end_object();
  if (session.is_table()) {
    for (const std::string& problem : report->problems) session.print(printable(problem) + "\n");
    session.print(report->sound() ? "The store is sound.\n"
                                  : fmt::format("The store is damaged: {}.\n",
                                                counted(report->problems_total, "problem")));
  }
  if (const int exit = print_made(session, json.text(), "sound", kCounts, session.now());
      exit != kExitOk)
    return exit;
  return report->sound() ? kExitOk : kExitUnsound;
}

int info(Session& session, const std::string& folder) {
  const auto report = sqlite::info(folder);
  if (!report.ok()) return session.fail(report.error());
  wire::JsonWriter json;
  json.begin_object().field("format", report->format).field("incarnation", report->incarnation);
  json.field("bytes", report->bytes)
      .field("freeBytes", report->free_bytes)
      .field("waiting", report->waiting);
  json.field("quarantined", report->quarantined);
  write_texts(json, "streams", report->streams);
  write_texts(json, "flows", report->flows);
  json.end_object();
  const std::vector<Fact> facts = {{"format", "format"},
                                   {"incarnation", "incarnation", CellKind::count},
                                   {"on disk", "bytes", CellKind::bytes},
                                   {"of it free", "freeBytes", CellKind::bytes},
                                   {"waiting", "waiting", CellKind::count},
                                   {"quarantined", "quarantined", CellKind::count}};
  if (const int exit = print_made(session, json.text(), "format", facts, session.now());
      exit != kExitOk)
    return exit;
  if (!session.is_table()) return kExitOk;
  for (const std::string& stream : report->streams)
    session.print(fmt::format("stream  {}\n", printable(stream)));
  for (const std::string& flow : report->flows)
    session.print(fmt::format("flow    {}\n", printable(flow)));
  return kExitOk;
}

int backup(Session& session, const std::string& folder, const std::string& file) {
  keep_files_private();
  const auto progress = [&](std::uint64_t done, std::uint64_t total) {
    session.redraw(fmt::format("{} of {} pages", grouped(done), grouped(total)));
  };
  const auto made = sqlite::backup(folder, file, progress);
  session.redraw("");
  if (!made.ok()) return session.fail(made.error());
  wire::JsonWriter json;
  json.begin_object().field("backup", file).end_object();
  return print_made(session, json.text(), "backup", {{"backup", "backup"}}, session.now());
}

int restore(Session& session, const std::string& folder, const std::string& file) {
  keep_files_private();
  const AuditEntry entry{.at = session.now(),
                         .actor = local_actor(),
                         .action = "store.restore",
                         .target = folder,
                         .reason = session.options().reason,
                         .detail = "from " + file};
  if (const auto made = sqlite::restore(file, folder, entry); !made.ok())
    return session.fail(made.error());
  wire::JsonWriter json;
  json.begin_object().field("restored", folder).end_object();
  const int exit = print_made(session, json.text(), "restored", {{"restored", "restored"}},
                              session.now());
  session.note(
      "its access tokens and open approvals are ended: the next start makes an admin token");
  session.next(fmt::format("weir store check --data {}", folder));
  return exit;
}

struct StoreAsked {
  std::string folder;
  std::string file;
};

CLI::App* add_verb(CLI::App& noun, const std::string& verb, const std::string& text,
                   StoreAsked& asked) {
  CLI::App* command = noun.add_subcommand(verb, text);
  command->add_option("--data", asked.folder, "the data folder")->required()->option_text("DIR");
  return command;
}

}  // namespace

void add_store_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* noun = root.add_subcommand("store", "a data folder, without a server");
  noun->require_subcommand(1);
  const auto add_look = [&](const std::string& verb, const std::string& text,
                            int (*run)(Session&, const std::string&)) {
    auto asked = std::make_shared<StoreAsked>();
    add_verb(*noun, verb, text, *asked)->callback([&chosen, asked, run] {
      chosen.action = [asked, run](Session& session) { return run(session, asked->folder); };
    });
  };
  const auto add_copy = [&](const std::string& verb, const std::string& text,
                            const std::string& file_text,
                            int (*run)(Session&, const std::string&, const std::string&)) {
    auto asked = std::make_shared<StoreAsked>();
    CLI::App* command = add_verb(*noun, verb, text, *asked);
    command->add_option("FILE", asked->file, file_text)->required()->option_text(" ");
    command->callback([&chosen, asked, run] {
      chosen.action = [asked, run](Session& session) {
        return run(session, asked->folder, asked->file);
      };
    });
  };
  auto checked = std::make_shared<StoreAsked>();
  CLI::App* check_command = add_verb(*noun, "check", "read everything and verify every checksum",
                                     *checked);
  check_command
      ->add_option("--key-file", checked->file, "opens encrypted records too, to verify them")
      ->option_text("FILE");
  check_command->callback([&chosen, checked] {
    chosen.action = [checked](Session& session) {
      return check(session, checked->folder, checked->file);
    };
  });
  add_look("info", "format, size, streams and flows", info);
  add_copy("backup", "copy the store into one file, also beside a running Weir", "the file to make",
           backup);
  add_copy("restore", "make a data folder from a backup", "the backup", restore);
}

}  // namespace weir::app
