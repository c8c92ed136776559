// SPDX-License-Identifier: Apache-2.0
#include "app/config_files.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <fmt/format.h>

namespace weir::app {
namespace {

constexpr std::size_t kFileMax = 4 * 1024 * 1024;

Result<std::string> read_file(const std::string& path) {
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure)) {
    return Error{Code::config_unreadable, fmt::format("'{}' is a folder", path), ""};
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Error{Code::config_unreadable, fmt::format("'{}' cannot be read", path),
                 "check that it exists and may be read"};
  }
  std::string text;
  text.resize(kFileMax + 1);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kFileMax)
    return Error{Code::config_unreadable,
                 fmt::format("'{}' is larger than {} bytes", path, kFileMax), ""};
  return text;
}

bool is_open_to_others(const std::string& path) {
  std::error_code unreadable;  // reading it says so
  const auto mode = std::filesystem::status(path, unreadable).permissions();
  constexpr auto kOthers = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
  return !unreadable && (mode & kOthers) != std::filesystem::perms::none;
}

}  // namespace

Result<std::vector<config::SourceFile>> read_config_files(const std::string& path) {
  std::vector<std::string> paths;
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure)) {
    for (const auto& entry : std::filesystem::directory_iterator(path, failure)) {
      const std::string extension = entry.path().extension();
      if (extension == ".yaml" || extension == ".yml") paths.push_back(entry.path());
    }
    std::ranges::sort(paths);
    if (paths.empty())
      return Error{Code::config_unreadable, fmt::format("no *.yaml in '{}'", path), ""};
  } else {
    paths.push_back(path);
  }
  std::vector<config::SourceFile> files;
  for (const std::string& one : paths) {
    WEIR_TRY(auto text, read_file(one));
    files.push_back({one, std::move(text)});
  }
  return files;
}

Result<std::string> resolve_secret(std::string_view kind, std::string_view name) {
  if (kind == "file") {
    auto text = read_file(std::string(name));
    if (!text.ok()) return Error{Code::secret_missing, text.error().detail, text.error().hint};
    return text;
  }
  const char* value = std::getenv(std::string(name).c_str());
  if (value != nullptr) return std::string(value);
  return Error{Code::secret_missing, fmt::format("the environment has no '{}'", name),
               fmt::format("export it, or write ${{env:{}:-default}}", name)};
}

config::LoadOutcome load_with_secrets(const std::vector<config::SourceFile>& files) {
  std::set<std::string> exposed;
  config::LoadOutcome outcome = config::load(
      files, [&](std::string_view kind, std::string_view name) {
        if (kind == "file" && is_open_to_others(std::string(name))) exposed.emplace(name);
        return resolve_secret(kind, name);
      });
  for (const std::string& path : exposed) {
    outcome.warnings.push_back({.place = {path, 1, 1},
                                .severity = config::Severity::warning,
                                .message = "this secret may be read by others than its owner",
                                .hint = fmt::format("chmod 600 {}", path)});
  }
  return outcome;
}

Result<LoadedConfig> load_config(const std::string& path) {
  WEIR_TRY(auto files, read_config_files(path));
  return load_config(std::move(files));
}

Result<LoadedConfig> load_config(std::vector<config::SourceFile> files) {
  config::LoadOutcome outcome = load_with_secrets(files);
  if (outcome.config) {
    return LoadedConfig{std::move(*outcome.config), std::move(files), std::move(outcome.warnings)};
  }
  std::string text = config::render(outcome.problems);
  while (text.ends_with('\n')) text.pop_back();
  const Code code = outcome.refused ? Code::bounds_broken : Code::config_invalid;
  return Error{code,
               fmt::format("{} problem{}\n{}", outcome.problems.size(),
                           outcome.problems.size() == 1 ? "" : "s", text),
               ""};
}

void log_warnings(telemetry::Log& log, WallTime now, const std::vector<config::Problem>& warnings) {
  for (const config::Problem& warning : warnings) {
    log.write(now, telemetry::Level::warning, "config.warning", warning.message,
              [&](wire::JsonWriter& json) {
                json.field("lint", warning.lint)
                    .field("at", fmt::format("{}:{}:{}", warning.place.file, warning.place.line,
                                             warning.place.column))
                    .field("hint", warning.hint);
              });
  }
}

}  // namespace weir::app
