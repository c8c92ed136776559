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
  const config::LoadOutcome outcome = load_with_secrets(files);
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

int tell_changes(Session& session, const Reply& reply, const std::string& done) {
  if (!session.is_table()) {
    session.print(render_data(session.options().format, reply.root(), "", "version"));
    return kExitOk;
  }
  const std::string changes = text_at(reply.root(), "changes");
  session.print(
      fmt::format("{}{}{}\n", done, changes.empty() ? "" : ": ", printable_lines(changes)));
  return kExitOk;
}

int reload(Session& session) {
  const Reply reply = session.post("/v1/config/reload", session.reason_body());
  return reply ? tell_changes(session, reply, "reloaded") : reply.exit;
}

int rollback(Session& session, std::uint64_t version) {
  wire::JsonWriter json;
  json.begin_object().field("version", version);
  json.field("reason", session.options().reason).end_object();
  const Reply reply = session.post("/v1/config/rollback", json.text());
  if (!reply) return reply.exit;
  const int exit = tell_changes(session, reply,
                                fmt::format("version {} has the text of version {}",
                                            count_at(reply.root(), "version"), version));
  session.note("the files are as they were: change them, or the next reload or start undoes this");
  return exit;
}

const ListView kVersions{.member = "versions",
                         .name = "version",
                         .columns = {{"VERSION", "version", CellKind::count},
                                     {"IN FORCE", "inForce"},
                                     {"SINCE", "at", CellKind::age},
                                     {"BY", "actor"},
                                     {"TEXT OF", "rolledBackTo", CellKind::count, 2},
                                     {"REASON", "reason", CellKind::text, 1}},
                         .nothing = "No versions."};

int history(Session& session) {
  const Reply reply = session.get("/v1/config/versions");
  if (!reply) return reply.exit;
  print_list(session, reply, kVersions, session.now());
  return kExitOk;
}

int diff(Session& session, const std::vector<std::string>& sides) {
  std::string path = "/v1/config/diff";
  if (!sides.empty()) path += "?from=" + sides[0];
  if (sides.size() > 1) path += "&to=" + sides[1];
  const Reply reply = session.get(path);
  if (!reply) return reply.exit;
  if (!session.is_table()) {
    session.print(render_data(session.options().format, reply.root(), "", "diff"));
    return kExitOk;
  }
  const std::string text = text_at(reply.root(), "diff");
  const std::string between = fmt::format("from {} to {}", shown_at(reply.root(), "from"),
                                          shown_at(reply.root(), "to"));
  if (text.empty()) session.print(fmt::format("no difference {}\n", between));
  if (!text.empty()) session.print(fmt::format("{}\n{}", between, printable_lines(text)));
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
  noun->add_subcommand("history", "the versions that were in force, with actor and reason")
      ->callback([&chosen] { chosen.action = history; });
  auto sides = std::make_shared<std::vector<std::string>>();
  CLI::App* compare = noun->add_subcommand(
      "diff", "what a reload would change; or between two versions, or one and the files");
  compare->add_option("VERSION", *sides, "from, then to")
      ->expected(0, 2)
      ->check(CLI::PositiveNumber)
      ->option_text(" ");
  compare->callback([&chosen, sides] {
    chosen.action = [sides](Session& session) { return diff(session, *sides); };
  });
  auto version = std::make_shared<std::uint64_t>(0);
  CLI::App* back = noun->add_subcommand("rollback",
                                        "put an earlier version in force; needs --reason");
  back->add_option("VERSION", *version)->required()->check(CLI::PositiveNumber)->option_text(" ");
  back->callback([&chosen, version] {
    chosen.action = [version](Session& session) { return rollback(session, *version); };
  });
}

}  // namespace weir::app
