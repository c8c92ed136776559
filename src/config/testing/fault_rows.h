// SPDX-License-Identifier: Apache-2.0
// Tables of configurations that are wrong, and of what must be said about them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"

namespace weir::config::testing {

struct FaultRow {
  const char* text;
  const char* problems;  // as listed() shows them
};

// No secret is known.
Result<std::string> no_secrets(std::string_view kind, std::string_view name);

// One line per problem: "line:column: message | hint"; codes other than config_invalid are shown
// after the place, and files other than w.yaml before it.
std::string listed(const std::vector<Problem>& problems);

// Each row's text, with `before` in front of it, is refused with exactly these problems.
void check_rows(std::string_view before, std::span<const FaultRow> rows);

}  // namespace weir::config::testing
