// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/output.h"
#include "app/replay_text.h"
#include "base/text.h"
#include "model/approval.h"

namespace weir::app {
namespace {

const ListView kApprovals{.member = "approvals",
                          .name = "approval",
                          .columns = {{"APPROVAL", "approval"},
                                      {"STATE", "state"},
                                      {"WHAT", "what"},
                                      {"NEEDS ONE", "why", CellKind::text, 2, Fit::cut},
                                      {"WANTED BY", "makers", CellKind::list},
                                      {"DELIVERIES", "references", CellKind::list, 4, Fit::cut},
                                      {"APPROVER", "approver", CellKind::text, 1},
                                      {"EXPIRES", "expiresAt", CellKind::age, 3},
                                      {"REASON", "reason", CellKind::text, 1, Fit::cut}},
                          .nothing = "Nothing waits for an approval."};

const std::vector<Fact> kApprovalFacts = {{"approval", "approval"},
                                          {"state", "state"},
                                          {"what", "what"},
                                          {"needs one", "why"},
                                          {"selected by", "selection"},
                                          {"deliveries", "references", CellKind::list},
                                          {"hash", "hash", CellKind::digest},
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

// The hash that the yes is to: as given, or of what was shown and, on a terminal, agreed to.
std::optional<int> confirm(const Session& session, Yes& yes, wire::Json shown) {
  if (!yes.hash.empty()) return std::nullopt;
  yes.hash = text_at(shown, "hash");
  return session.confirm(
      fmt::format("Say yes to {} {}?", yes.id, printable(yes.hash.substr(0, kShownDigest))),
      "add --yes for what is there now, or --hash HASH for what was read");
}

int say_yes(Session& session, const std::string& path, const Yes& yes) {
  wire::JsonWriter json;
  json.begin_object().field("reason", session.options().reason).field("hash", yes.hash);
  json.end_object();
  const Reply reply = session.post(path, std::move(json).take());
  if (!reply) return reply.exit;
  print_one(session, reply.root(), "approval", kApprovalFacts, session.now());
  return kExitOk;
}

int approve_replay(Session& session, Yes yes) {
  const Reply replay = session.get(path_to("replays", yes.id));
  if (!replay) return replay.exit;
  if (session.is_table()) session.print(plan_text(replay.root()) + "\n");
  if (const auto refused = confirm(session, yes, replay.root())) return *refused;
  return say_yes(session, path_to("replays", yes.id, "approve"), yes);
}

int grant_approval(Session& session, Yes yes) {
  const Reply reply = session.get("/v1/approvals");
  if (!reply) return reply.exit;
  const auto wanted = parse_approval_id(yes.id);
  const auto all = member_at(reply.root(), "approvals");
  for (const wire::Json one : all.value_or(reply.root())) {
    if (!wanted || parse_approval_id(text_at(one, "approval")) != wanted) continue;
    if (session.is_table()) session.print(fact_lines(one, kApprovalFacts, session.now()) + "\n");
    if (const auto refused = confirm(session, yes, one)) return *refused;
    return say_yes(session, path_to("approvals", yes.id, "grant"), yes);
  }
  return session.fail({Code::unknown_approval,
                       fmt::format("there is no approval {}", printable(yes.id)),
                       "`weir approval list` shows those there are"});
}

int void_approval(Session& session, const std::string& id) {
  const Reply reply = session.post(path_to("approvals", id, "void"), session.reason_body());
  if (!reply) return reply.exit;
  print_one(session, reply.root(), "approval", kApprovalFacts, session.now());
  return kExitOk;
}

void add_hash(CLI::App& command, std::string& hash) {
  command.add_option("--hash", hash, "yes to this one, all 64 digits, and to nothing else")
      ->option_text("HASH");
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
    chosen.action = [yes](Session& session) { return approve_replay(session, *yes); };
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
    chosen.action = [yes](Session& session) { return grant_approval(session, *yes); };
  });
  auto id = std::make_shared<std::string>();
  CLI::App* voids = noun->add_subcommand("void", "take it back before it is used; needs --reason");
  voids->add_option("APPROVAL", *id, "its id, as in a3")->required()->option_text(" ");
  voids->callback([&chosen, id] {
    chosen.action = [id](Session& session) { return void_approval(session, *id); };
  });
}

}  // namespace weir::app
