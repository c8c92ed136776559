// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/output.h"

namespace weir::app {
namespace {

const ListView kApprovals{.member = "approvals",
                          .name = "approval",
                          .columns = {{"APPROVAL", "approval"},
                                      {"STATE", "state"},
                                      {"WHAT", "what"},
                                      {"NEEDS ONE", "why", CellKind::text, 2, Fit::cut},
                                      {"WANTED BY", "makers", CellKind::list},
                                      {"APPROVER", "approver", CellKind::text, 1},
                                      {"EXPIRES", "expiresAt", CellKind::age, 3},
                                      {"REASON", "reason", CellKind::text, 1, Fit::cut}},
                          .nothing = "Nothing waits for an approval."};

const std::vector<Fact> kApprovalFacts = {{"approval", "approval"},
                                          {"state", "state"},
                                          {"what", "what"},
                                          {"needs one", "why"},
                                          {"hash", "hash"},
                                          {"wanted by", "makers", CellKind::list},
                                          {"reason", "reason"},
                                          {"approver", "approver"},
                                          {"came with", "with"},
                                          {"and said", "approverReason"},
                                          {"expires", "expiresAt", CellKind::age}};

struct Yes {
  std::string id;
  std::string hash;
};

int list_approvals(Session& session, const std::string& state) {
  const Reply reply = session.get("/v1/approvals" + query_of({{"state", state}}));
  if (!reply) return reply.exit;
  print_list(session, reply, kApprovals, session.now());
  return kExitOk;
}

int say_yes(Session& session, const std::string& path, const std::string& hash) {
  wire::JsonWriter json;
  json.begin_object().field("reason", session.options().reason);
  if (!hash.empty()) json.field("hash", hash);
  json.end_object();
  const Reply reply = session.post(path, std::move(json).take());
  if (!reply) return reply.exit;
  print_one(session, reply.root(), "approval", kApprovalFacts, session.now());
  return kExitOk;
}

void add_hash(CLI::App& command, std::string& hash) {
  command.add_option("--hash", hash, "only if it is still this one")->option_text("HASH");
}

}  // namespace

void add_break_glass(CLI::App& command, bool& break_glass) {
  command.add_flag("--break-glass", break_glass,
                   "without the approval that it needs; audited and an alarm, needs --reason");
}

void add_replay_approve(CLI::App& noun, Chosen& chosen) {
  auto yes = std::make_shared<Yes>();
  CLI::App* command = noun.add_subcommand("approve",
                                          "say yes to what somebody else planned; needs --reason");
  command->add_option("REPLAY", yes->id, "r12, or 12")->required()->option_text(" ");
  add_hash(*command, yes->hash);
  command->callback([&chosen, yes] {
    chosen.action = [yes](Session& session) {
      return say_yes(session, path_to("replays", yes->id, "approve"), yes->hash);
    };
  });
}

void add_approval_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* noun = root.add_subcommand("approval", "what needs the yes of another person");
  noun->require_subcommand(1);
  auto state = std::make_shared<std::string>();
  CLI::App* lists = noun->add_subcommand("list", "every request, the newest first")->alias("ls");
  lists->add_option("--state", *state, "pending, granted, used, expired or voided")
      ->option_text("STATE");
  lists->callback([&chosen, state] {
    chosen.action = [state](Session& session) { return list_approvals(session, *state); };
  });
  auto yes = std::make_shared<Yes>();
  CLI::App* grants = noun->add_subcommand("grant", "say yes to it; needs --reason");
  grants->add_option("APPROVAL", yes->id, "its id, as in a3")->required()->option_text(" ");
  add_hash(*grants, yes->hash);
  grants->callback([&chosen, yes] {
    chosen.action = [yes](Session& session) {
      return say_yes(session, path_to("approvals", yes->id, "grant"), yes->hash);
    };
  });
}

}  // namespace weir::app
