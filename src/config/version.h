// SPDX-License-Identifier: Apache-2.0
// A configuration that was in force: its text, since when, by whom and why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "config/load.h"

namespace weir::config {

struct Version {
  std::uint64_t number = 0;
  WallTime at{};
  std::string actor;  // local:<user>, unauthenticated until tokens exist; weir for a start
  std::string reason;
  std::uint64_t rolled_back_to = 0;  // the version whose text it has; 0 = read from the files
  std::vector<SourceFile> files;
};

// As JSON, for the store. nullopt for what encode() did not make.
std::string encode(const Version& version);
std::optional<Version> decode_version(std::string_view text);

// What was taken out and what was added, by file and line: unified, with three lines of context.
// Empty if the texts are the same.
std::string diff_lines(const std::vector<SourceFile>& before, const std::vector<SourceFile>& after);

}  // namespace weir::config
