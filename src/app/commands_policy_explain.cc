// SPDX-License-Identifier: Apache-2.0
// `weir policy explain`: what an answer means and what would be done about it.
#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/output.h"
#include "policy/classify.h"

namespace weir::app {
namespace {

const ListView kRows{.member = "rows",
                     .name = "rule",
                     .columns = {{"RULE", "rule"},
                                 {"CLASS", "class"},
                                 {"RETRIABLE", "retriable"},
                                 {"BREAKER", "countsForBreaker", CellKind::text, 2},
                                 {"LIMITER", "countsForLimiter", CellKind::text, 3},
                                 {"IN DOUBT", "inDoubt", CellKind::text, 4},
                                 {"REASON", "reason", CellKind::text, 0, Fit::cut},
                                 {"SOURCE", "source", CellKind::text, 1, Fit::cut}},
                     .nothing = "No rows."};

void write_row(wire::JsonWriter& json, const policy::ClassRow& row) {
  json.begin_object().field("rule", row.rule).field("class", to_text(row.failure));
  json.field("retriable", row.retryable).field("needsIdempotent", row.needs_idempotent);
  json.field("countsForBreaker", row.counts_breaker).field("countsForLimiter", row.counts_limiter);
  json.field("inDoubt", row.in_doubt).field("reason", row.reason).field("source", row.source);
  json.end_object();
}

int explain_all(Session& session) {
  wire::JsonWriter json;
  json.begin_object().key("rows").begin_array();
  for (int part = 0; part < policy::kProtocolCount; ++part)
    for (const policy::ClassRow& row : policy::class_table(static_cast<policy::Protocol>(part)))
      write_row(json, row);
  json.end_array().end_object();
  Reply reply;
  reply.body = std::make_unique<const std::string>(std::move(json).take());
  auto document = wire::parse_json(*reply.body);
  if (!document.ok()) return session.fail(document.error());
  reply.document = std::make_unique<const wire::JsonDocument>(std::move(*document));
  print_list(session, reply, kRows, session.now());
  return kExitOk;
}

}  // namespace

void add_policy_explain(CLI::App& policy, Chosen& chosen) {
  CLI::App* command = policy.add_subcommand("explain", "what an answer means, and what Weir does");
  auto all = std::make_shared<bool>(false);
  command->add_flag("--all", *all, "the whole table")->required();
  command->callback([&chosen] { chosen.action = explain_all; });
}

}  // namespace weir::app
