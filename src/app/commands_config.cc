// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/config_files.h"
#include "app/output.h"
#include "app/refusal.h"

namespace weir::app {
namespace {

void write_problem(wire::JsonWriter& json, const config::Problem& problem) {
  const bool error = problem.severity == config::Severity::error;
  json.begin_object().field("severity", error ? "error" : "warning");
  json.field("file", problem.place.file).field("line", problem.place.line);
  json.field("column", problem.place.column);
  if (error) json.field("code", describe(problem.code).id);
  if (!problem.lint.empty()) json.field("lint", problem.lint);
  json.field("detail", problem.message);
  if (!problem.hint.empty()) json.field("hint", problem.hint);
  json.end_object();
}

std::string problems_json(const config::LoadOutcome& outcome) {
  wire::JsonWriter json;
  json.begin_object().field("valid", outcome.problems.empty()).key("problems").begin_array();
  for (const config::Problem& problem : outcome.problems) write_problem(json, problem);
  json.end_array().key("warnings").begin_array();
  for (const config::Problem& warning : outcome.warnings) write_problem(json, warning);
  json.end_array().end_object();
  return std::move(json).take();
}

// Several paths are one configuration.
int validate(Session& session, const std::vector<std::string>& paths) {
  std::vector<config::SourceFile> files;
  for (const std::string& path : paths) {
    auto read = read_config_files(path);
    if (!read.ok()) return session.fail(read.error());
    for (config::SourceFile& file : *read) files.push_back(std::move(file));
  }
  const config::LoadOutcome outcome = config::load(files, resolve_secret);
  const int exit = outcome.problems.empty() ? kExitOk : kExitFailed;
  if (!session.is_table()) {
    const int printed = print_made(session, problems_json(outcome), "valid", {}, session.now());
    return printed == kExitOk ? exit : printed;
  }
  session.print(printable_lines(config::render(outcome.warnings)));
  if (!outcome.warnings.empty())
    session.note(
        fmt::format("{}, see docs/guide/bound.md", counted(outcome.warnings.size(), "warning")));
  if (outcome.config) {
    const Config& config = *outcome.config;
    session.print(fmt::format("valid: {}, {}, {}, {}\n", counted(config.streams.size(), "stream"),
                              counted(config.flows.size(), "flow"),
                              counted(config.dependencies.size(), "dependency"),
                              counted(config.failure_modes.size(), "failure mode")));
    return exit;
  }
  session.print(printable_lines(config::render(outcome.problems)));
  session.note(fmt::format("{} in {}", counted(outcome.problems.size(), "problem"),
                           counted(files.size(), "file")));
  return exit;
}

int reload(Session& session) {
  const Reply reply = session.post("/v1/config/reload", session.reason_body());
  if (!reply) return reply.exit;
  if (!session.is_table()) {
    session.print(render_data(session.options().format, reply.root(), "", "reloaded"));
    return kExitOk;
  }
  const std::string changes = text_at(reply.root(), "changes");
  session.print(
      fmt::format("reloaded{}{}\n", changes.empty() ? "" : ": ", printable_lines(changes)));
  return kExitOk;
}

}  // namespace

void add_config_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* noun = root.add_subcommand("config", "the configuration");
  noun->require_subcommand(1);
  auto paths = std::make_shared<std::vector<std::string>>();
  CLI::App* command = noun->add_subcommand("validate",
                                           "every problem with its place; needs no server");
  command->add_option("PATH", *paths, "files, or folders of *.yaml; together one configuration")
      ->required()
      ->option_text(" ");
  command->callback([&chosen, paths] {
    chosen.action = [paths](Session& session) { return validate(session, *paths); };
  });
  noun->add_subcommand("reload", "make the server read its configuration again")
      ->callback([&chosen] { chosen.action = reload; });
}

}  // namespace weir::app
