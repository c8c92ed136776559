// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <map>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/refusal.h"
#include "app/session.h"
#include "app/world.h"
#include "base/text.h"
#include "wire/percent.h"

namespace weir::app {
namespace {

const std::map<std::string, Format> kFormats = {{"table", Format::table}, {"json", Format::json},
                                                {"jsonl", Format::jsonl}, {"yaml", Format::yaml},
                                                {"csv", Format::csv},     {"name", Format::name}};
const std::map<std::string, ColorMode> kColors = {
    {"auto", ColorMode::automatic}, {"always", ColorMode::always}, {"never", ColorMode::never}};

template <class Choice>
void add_choice(CLI::App& root, const std::string& names,
                const std::map<std::string, Choice>& choices, Choice& chosen,
                const std::string& text) {
  root.add_option_function<std::string>(
          names, [&choices, &chosen](const std::string& name) { chosen = choices.at(name); }, text)
      ->check(CLI::IsMember(choices));
}

void add_global_options(CLI::App& root, GlobalOptions& options) {
  root.add_option("--server", options.server,
                  "the Weir to talk to, " + options.server + " if nothing is said")
      ->envname("WEIR_SERVER")
      ->option_text("URL (or WEIR_SERVER)");
  root.add_option("--token-file", options.token_file,
                  "the file with the access token, mode 0600; or WEIR_TOKEN with the token itself")
      ->option_text("FILE (or WEIR_TOKEN_FILE)");
  root.add_option("--ca-file", options.ca_file,
                  "PEM certificates to trust besides the system's, for https")
      ->envname("WEIR_CA_FILE")
      ->option_text("FILE (or WEIR_CA_FILE)");
  add_choice(root, "-o,--output", kFormats, options.format, "table, json, jsonl, yaml or name");
  root.get_option("--output")->option_text("FORMAT");
  root.add_flag("-y,--yes", options.yes, "do not ask");
  root.add_option("--reason", options.reason, "why; goes into the audit log")->option_text("TEXT");
  root.add_flag_callback(
      "--no-headers", [&options] { options.headers = false; }, "tables without titles");
  add_choice(root, "--color", kColors, options.color,
             "auto, always or never; NO_COLOR is honoured");
  root.get_option("--color")->option_text("WHEN");
  root.add_flag("-q,--quiet", options.quiet, "only data and errors");
}

// The innermost command that was understood, "flow" of `weir flow lst`.
const CLI::App* innermost(const CLI::App* app) {
  for (auto chosen = app->get_subcommands(); !chosen.empty(); chosen = app->get_subcommands())
    app = chosen.front();
  return app;
}

std::vector<std::string> names_of_options(const CLI::App* app) {
  std::vector<std::string> names;
  for (; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
      for (const std::string& name : option->get_fnames())
        names.push_back("--" + name.substr(name.find_first_not_of('-')));
    }
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<std::string> names_of_commands(const CLI::App* app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app->get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

std::string full_name(const CLI::App* app) {
  const std::string& name = app->get_name();
  return app->get_parent() == nullptr ? "weir" : full_name(app->get_parent()) + " " + name;
}

Error usage_error(const CLI::App& root, const CLI::ParseError& failure) {
  const CLI::App* at = innermost(&root);
  const std::string command = full_name(at);
  const std::string see = fmt::format("see `{} --help`", command);
  for (const std::string& word : root.remaining(true)) {
    if (word.starts_with('-') && word.size() > 1) {
      const std::string name = word.substr(0, word.find('='));
      const auto known = names_of_options(at);
      const auto close = nearest(name, known);
      return {Code::usage, fmt::format("`{}` has no option {}", command, printable(name)),
              close ? fmt::format("did you mean '{}'?", *close) : see};
    }
    const auto known = names_of_commands(at);
    if (known.empty())
      return {Code::usage, fmt::format("`{}` does not take '{}'", command, printable(word)), see};
    const auto close = nearest(word, known);
    return {Code::usage, fmt::format("`{}` has no command '{}'", command, printable(word)),
            close ? fmt::format("did you mean '{}'?", *close)
                  : fmt::format("known: {}", fmt::join(known, ", "))};
  }
  const auto commands = names_of_commands(at);
  if (!commands.empty()) {
    return {Code::usage, fmt::format("`{}` needs a command", command),
            at == &root ? see : did_you_mean("", commands)};
  }
  return {Code::usage, fmt::format("{}: {}", command, printable(failure.what())), see};
}

void add_commands(CLI::App& root, Chosen& chosen) {
  add_serve_command(root, chosen);
  add_publish_command(root, chosen);
  add_status_commands(root, chosen);
  add_event_commands(root, chosen);
  add_flow_commands(root, chosen);
  add_dependency_commands(root, chosen);
  add_marker_command(root, chosen);
  add_group_commands(root, chosen);
  add_effect_commands(root, chosen);
  add_quarantine_commands(root, chosen);
  add_replay_commands(root, chosen);
  add_audit_commands(root, chosen);
  add_auth_commands(root, chosen);
  add_approval_commands(root, chosen);
  add_config_commands(root, chosen);
  add_policy_commands(root, chosen);
  add_simulate_command(root, chosen);
  add_store_commands(root, chosen);
  add_encryption_commands(root, chosen);
  add_stream_commands(root, chosen);
}

int refuse(const Error& error, const GlobalOptions& options) {
  const Refusal refusal = to_refusal(error, read_terminal(options.color).error_color);
  std::fputs(refusal.text.c_str(), stderr);
  return refusal.exit;
}

// `weir help flow` is `weir flow --help`.
std::vector<std::string> words_of(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  return words;
}

int parse_and_run(int argc, const char* const* argv) {
  CLI::App root{"Weir delivers events and makes failures operable.", "weir"};
  root.require_subcommand(1);
  root.fallthrough();
  root.option_defaults()->always_capture_default(false);
  GlobalOptions options;
  Chosen chosen;
  add_global_options(root, options);
  add_commands(root, chosen);
  root.set_version_flag("--version", fmt::format("weir {}", kVersion), "the version, and no more");
  try {
    auto words = words_of(argc, argv);
    std::ranges::reverse(words);  // as the library wants them
    root.parse(std::move(words));
  } catch (const CLI::ParseError& failure) {
    // Nobody is helped about a command that does not exist.
    const bool wanted = failure.get_exit_code() == 0 && root.remaining(true).empty();
    if (wanted) return root.exit(failure);  // --help, --version
    return refuse(usage_error(root, failure), options);
  }
  if (options.server.empty())
    return refuse({Code::usage, "--server is empty", "for example http://127.0.0.1:8600"}, options);
  Session session(std::move(options));
  return chosen.action(session);
}

}  // namespace

std::string path_to(std::string_view collection, std::string_view name, std::string_view verb) {
  std::string path = fmt::format("/v1/{}/{}", collection, wire::percent_encode(name));
  if (!verb.empty()) path += fmt::format("/{}", verb);
  return path;
}

std::string query_of(const std::vector<std::pair<std::string_view, std::string>>& pairs) {
  std::string query;
  for (const auto& [name, value] : pairs) {
    if (!value.empty())
      query += fmt::format("{}{}={}", query.empty() ? '?' : '&', name, wire::percent_encode(value));
  }
  return query;
}

int run_command_line(int argc, const char* const* argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& failure) {
    std::fputs(to_refusal(Error{Code::internal, failure.what(), ""}).text.c_str(), stderr);
    return kExitFailed;
  }
}

}  // namespace weir::app
