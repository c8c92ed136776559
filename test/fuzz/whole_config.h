// SPDX-License-Identifier: Apache-2.0
// What holds of every configuration that is loaded, whatever was written.
#pragma once

#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/text.h"
#include "config/diff.h"
#include "config/load.h"

namespace weir::fuzz {

// Every secret but one is known.
inline Result<std::string> some_secret(std::string_view kind, std::string_view name) {
  if (name == "MISSING") return Error{Code::config_invalid, "no such secret", ""};
  return std::string(kind) + " " + std::string(name);
}

// Loads it twice; a configuration, or problems that have their place within the text.
inline config::LoadOutcome load_whole(const std::string& text) {
  const std::vector<config::SourceFile> files = {{"weir.yaml", text}};
  config::LoadOutcome outcome = config::load(files, some_secret);
  const config::LoadOutcome again = config::load(files, some_secret);
  WEIR_ASSERT(outcome.config == again.config);
  WEIR_ASSERT(outcome.config.has_value() == outcome.problems.empty());
  const auto lines = std::ranges::count(text, '\n') + std::ranges::count(text, '\r') + 1;
  for (const config::Problem& problem : outcome.problems) {
    WEIR_ASSERT(!problem.message.empty());
    WEIR_ASSERT(problem.place.line >= 0 && problem.place.line <= lines);
  }
  WEIR_ASSERT(config::render(outcome.problems).empty() == outcome.problems.empty());
  if (outcome.config) WEIR_ASSERT(config::diff(*outcome.config, *again.config).empty());
  return outcome;
}

}  // namespace weir::fuzz
