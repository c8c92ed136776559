// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/audit_files.h"
#include "app/audit_sources.h"
#include "app/audit_verdict.h"
#include "app/commands.h"
#include "app/json_text.h"
#include "app/output.h"
#include "wire/audit_lines.h"

namespace weir::app {
namespace {

const ListView kAudit{.member = "entries",
                      .name = "number",
                      .columns = {{"#", "number", CellKind::count},
                                  {"AT", "at", CellKind::age},
                                  {"ACTOR", "actor"},
                                  {"ACTION", "action"},
                                  {"TARGET", "target", CellKind::text, 0, Fit::cut},
                                  {"REASON", "reason", CellKind::text, 1, Fit::cut},
                                  {"DETAIL", "detail", CellKind::text, 2, Fit::cut}},
                      .nothing = "Nothing like that has been done."};

struct ListAsked {
  std::size_t limit = 50;
  std::uint64_t before = 0;
  std::string actor;
  std::string action;
  std::string target;
  std::string since;
};

int list_audit(Session& session, const ListAsked& asked) {
  const auto query = [&](std::uint64_t before) {
    return query_of({{"limit", std::to_string(asked.limit)},
                     {"before", before == 0 ? "" : std::to_string(before)},
                     {"actor", asked.actor},
                     {"action", asked.action},
                     {"target", asked.target},
                     {"since", asked.since}});
  };
  const Reply reply = session.get("/v1/audit" + query(asked.before));
  if (!reply) return reply.exit;
  print_list(session, reply, kAudit, session.now());
  const std::uint64_t next = count_at(reply.root(), "next");
  if (next != 0) session.next(fmt::format("weir audit list --before {}, for older ones", next));
  return kExitOk;
}

int failed(Session& session, const AuditPlace& place, const Error& error) {
  return place.exit != kExitOk ? place.exit : session.fail(error);
}

struct VerifyAsked {
  AuditPlace place;
  std::string checkpoints;
  std::string public_key;
};

// The place's own checkpoints and those from outside; a key from outside counts for all of them.
Result<ScreenedCheckpoints> checkpoints_for(Session& session, VerifyAsked& asked) {
  WEIR_TRY(AuditWitness witness, audit_witness(session, asked.place));
  if (witness.others > 0) {
    session.note(fmt::format("{} of the folder's checkpoints cannot be read",
                             counted(witness.others, "line")));
  }
  if (!asked.public_key.empty()) {
    WEIR_TRY(witness.public_key, read_public_key(asked.public_key));
  }
  if (!asked.checkpoints.empty()) {
    WEIR_TRY(const CheckpointLines outside, read_checkpoints(asked.checkpoints));
    if (outside.checkpoints.empty()) {
      return Error{Code::audit_unreadable,
                   fmt::format("{} has no checkpoint in it", asked.checkpoints),
                   "a file audit-checkpoints.jsonl, an export, or Weir's log has them"};
    }
    witness.checkpoints.insert(witness.checkpoints.end(), outside.checkpoints.begin(),
                               outside.checkpoints.end());
  }
  return screened(witness.checkpoints, witness.public_key, !asked.public_key.empty());
}

int verify_audit(Session& session, VerifyAsked& asked) {
  const auto checkpoints = checkpoints_for(session, asked);
  if (!checkpoints.ok()) return failed(session, asked.place, checkpoints.error());
  wire::AuditVerifier verifier({}, checkpoints->good);
  const auto kept = walk_audit(
      session, asked.place, [&](std::uint64_t number, const Result<AuditEntry>& entry) {
        entry.ok() ? verifier.next(*entry) : verifier.unreadable(number, entry.error().detail);
      });
  if (!kept.ok()) return failed(session, asked.place, kept.error());
  verifier.finish(*kept);
  const AuditVerdict verdict = verdict_of(verifier, *checkpoints);
  if (session.is_table()) {
    session.print(verdict_text(verdict));
  } else if (const int exit = print_made(session, verdict_json(verdict), "sound", {},
                                         session.now());
             exit != kExitOk) {
    return exit;
  }
  return verdict.sound() ? kExitOk : kExitUnsound;
}

int export_audit(Session& session, AuditPlace& place) {
  const auto witness = audit_witness(session, place);
  if (!witness.ok()) return failed(session, place, witness.error());
  // Bytes as they are signed and hashed, but nothing that could fool a terminal.
  const auto print = [&](const std::string& line) {
    const auto shown = session.terminal().output_tty ? wire::parse_json(line)
                                                     : Result<wire::JsonDocument>(Error{});
    session.print(shown.ok() ? to_json_line(shown->root()) : line + "\n");
  };
  std::size_t unreadable = 0;
  const auto kept = walk_audit(
      session, place, [&](std::uint64_t number, const Result<AuditEntry>& entry) {
        if (entry.ok()) return print(wire::to_line(*entry));
        ++unreadable;
        session.note(fmt::format("entry {}: {}", number, entry.error().detail));
      });
  if (!kept.ok()) return failed(session, place, kept.error());
  for (const AuditCheckpoint& checkpoint : witness->checkpoints) print(wire::to_line(checkpoint));
  return unreadable == 0 ? kExitOk : kExitUnsound;
}

void add_list(CLI::App& noun, Chosen& chosen) {
  auto asked = std::make_shared<ListAsked>();
  CLI::App* command = noun.add_subcommand("list", "the newest entries first")->alias("ls");
  command->add_option("--limit", asked->limit, "how many, up to 1000")
      ->check(CLI::Range(1, 1000))
      ->option_text("N");
  command->add_option("--before", asked->before, "only entries before this number")
      ->option_text("NUMBER");
  command->add_option("--actor", asked->actor, "only what this one did; weir is Weir itself")
      ->option_text("ACTOR");
  command->add_option("--action", asked->action, "only this action, or all of a noun: replay")
      ->option_text("ACTION");
  command->add_option("--target", asked->target, "only what was done to this")
      ->option_text("TARGET");
  command->add_option("--since", asked->since, "only since then: 2h, or a time")
      ->option_text("TIME");
  command->callback([&chosen, asked] {
    chosen.action = [asked](Session& session) { return list_audit(session, *asked); };
  });
}

void add_data(CLI::App& command, AuditPlace& place) {
  command.add_option("--data", place.folder, "a data folder, instead of the server")
      ->option_text("DIR");
}

}  // namespace

void add_audit_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* noun = root.add_subcommand("audit", "who changed what, and why; and that it is so");
  noun->require_subcommand(1);
  add_list(*noun, chosen);
  auto asked = std::make_shared<VerifyAsked>();
  CLI::App* verify = noun->add_subcommand("verify", "find what was changed, removed or cut off");
  add_data(*verify, asked->place);
  verify->add_option("--file", asked->place.file, "an export, instead of the server")
      ->excludes("--data")
      ->option_text("FILE");
  verify->add_option("--checkpoints", asked->checkpoints, "signed ones that were kept elsewhere")
      ->option_text("FILE");
  verify->add_option("--public-key", asked->public_key, "the one to trust: audit-signing.pub")
      ->option_text("FILE");
  verify->callback([&chosen, asked] {
    chosen.action = [asked](Session& session) { return verify_audit(session, *asked); };
  });
  auto place = std::make_shared<AuditPlace>();
  CLI::App* exporting = noun->add_subcommand("export",
                                             "all entries and checkpoints, as JSON lines");
  add_data(*exporting, *place);
  exporting->callback([&chosen, place] {
    chosen.action = [place](Session& session) { return export_audit(session, *place); };
  });
}

}  // namespace weir::app
