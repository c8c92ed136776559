// SPDX-License-Identifier: Apache-2.0
// `weir policy explain`: what an outcome means and what would be done about it.
#include <algorithm>
#include <fstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/config_files.h"
#include "app/output.h"
#include "app/policy_question.h"
#include "base/text.h"

namespace weir::app {
namespace {

const ListView kRows{.member = "rows",
                     .name = "rule",
                     .columns = {{"RULE", "rule"},
                                 {"CLASS", "class"},
                                 {"RETRIABLE", "retriable"},
                                 {"IF IDEMPOTENT", "needsIdempotent", CellKind::text, 5},
                                 {"BREAKER", "countsForBreaker", CellKind::text, 2},
                                 {"LIMITER", "countsForLimiter", CellKind::text, 3},
                                 {"IN DOUBT", "inDoubt", CellKind::text, 4},
                                 {"REASON", "reason", CellKind::text, 0, Fit::cut},
                                 {"SOURCE", "source", CellKind::text, 1, Fit::cut}},
                     .nothing = "No rows."};

const std::vector<Fact> kRuleFacts = {{"rule", "rule"},
                                      {"row", "row"},
                                      {"class", "class"},
                                      {"retriable", "retriable"},
                                      {"only if idempotent", "needsIdempotent"},
                                      {"counts for the breaker", "countsForBreaker"},
                                      {"counts for the limiter", "countsForLimiter"},
                                      {"in doubt", "inDoubt"},
                                      {"reason", "reason"},
                                      {"source", "source"},
                                      {"not before", "notBefore"},
                                      {"note", "note"},
                                      {"pace", "pace"},
                                      {"failure mode", "failureMode"},
                                      {"flow", "flow"},
                                      {"dependency", "dependency"},
                                      {"decision", "decision"},
                                      {"delay", "delay"},
                                      {"decided by", "decidedBy"},
                                      {"because", "because"}};

struct ExplainOptions {
  PolicyFlags flags;
  std::string config;
  std::string flow;
  bool all = false;
};

int explain_all(Session& session) {
  Reply reply;
  reply.body = std::make_unique<const std::string>(class_table_json());
  auto document = wire::parse_json(*reply.body);
  if (!document.ok()) return session.fail(document.error());
  reply.document = std::make_unique<const wire::JsonDocument>(std::move(*document));
  print_list(session, reply, kRows, session.now());
  return kExitOk;
}

// TEXT or @FILE; one byte more than is looked at tells that a file is too long.
Result<> read_body(std::string& body) {
  if (!body.starts_with('@')) return {};
  const std::string name = body.substr(1);
  std::ifstream file(name, std::ios::binary);
  if (!file)
    return Error{Code::usage, fmt::format("'{}' cannot be read", printable(name)),
                 "--body @FILE reads the body from FILE"};
  body.assign(kOutcomeBodyMax + 1, '\0');
  file.read(body.data(), static_cast<std::streamsize>(body.size()));
  body.resize(static_cast<std::size_t>(file.gcount()));
  return {};
}

// The one that is named, or the only one.
Result<const FlowSpec*> flow_of(const Config& config, const std::string& name) {
  if (name.empty() && config.flows.size() == 1) return &config.flows.front();
  std::vector<std::string> names;
  for (const FlowSpec& flow : config.flows) {
    if (flow.name == name) return &flow;
    names.push_back(flow.name);
  }
  if (name.empty())
    return Error{Code::usage, "the configuration has several flows, or none: say which with --flow",
                 did_you_mean("", names)};
  return Error{Code::unknown_flow,
               fmt::format("no flow '{}' in the configuration", printable(name)),
               did_you_mean(name, names)};
}

Result<std::string> explained(ExplainOptions options, WallTime now) {
  WEIR_CHECK(read_body(options.flags.body));
  WEIR_TRY(const auto question, parse_question(options.flags));
  if (options.config.empty()) {
    if (options.flow.empty()) return explain_policy_json(question, {}, nullptr, now);
    return Error{Code::usage, "--flow needs --config", "for example --config weir.yaml"};
  }
  WEIR_TRY(const LoadedConfig loaded, load_config(options.config));
  const Config& config = loaded.config;
  WEIR_TRY(const FlowSpec* flow, flow_of(config, options.flow));
  return explain_policy_json(question, config, flow, now);
}

int explain(Session& session, const ExplainOptions& options) {
  if (options.all) return explain_all(session);
  const auto json = explained(options, session.now());
  if (!json.ok()) return session.fail(json.error());
  return print_made(session, *json, "rule", kRuleFacts, session.now());
}

}  // namespace

void add_policy_explain(CLI::App& policy, Chosen& chosen) {
  CLI::App* command = policy.add_subcommand("explain", "what an outcome means, and what Weir does");
  auto options = std::make_shared<ExplainOptions>();
  PolicyFlags& flags = options->flags;
  const auto text = [command](const char* name, std::string& into, const char* help,
                              const char* form) {
    command->add_option(name, into, help)->option_text(form);
  };
  text("--status", flags.status, "HTTP status of the answer", "STATUS");
  text("--fault", flags.fault, "no answer: timeout, refused, ...", "FAULT");
  text("--phase", flags.phase, "how far the request got: notSent, sentUnseen or maybeSeen",
       "PHASE");
  text("--grpc", flags.grpc, "status code of gRPC, such as UNAVAILABLE", "CODE");
  text("--aws", flags.aws, "error code of AWS, such as ThrottlingException", "CODE");
  text("--sqlstate", flags.sqlstate, "SQLSTATE of a database, such as 40001", "CODE");
  text("--body", flags.body, "body of the answer", "TEXT|@FILE");
  command->add_option("--header", flags.headers, "of the answer; may be repeated")
      ->option_text("'NAME: VALUE'")
      ->allow_extra_args(false);
  text("--config", options->config, "with these failure modes and policies", "PATH");
  text("--flow", options->flow, "of the configuration: what would be decided", "FLOW");
  CLI::Option* all = command->add_flag("--all", options->all, "the whole table");
  for (CLI::Option* other : command->get_options([&](CLI::Option* one) { return one != all; })) {
    if (!other->get_name().starts_with("--help")) all->excludes(other);
  }
  command->callback([&chosen, options] {
    chosen.action = [options](Session& session) { return explain(session, *options); };
  });
}

}  // namespace weir::app
