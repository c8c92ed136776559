// SPDX-License-Identifier: Apache-2.0
// The noun `policy`: what the rules mean, without a server. Each verb has a file of its own.
#include <CLI/CLI.hpp>

#include "app/commands.h"

namespace weir::app {

void add_policy_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* noun = root.add_subcommand("policy", "what the rules mean; needs no server");
  noun->require_subcommand(1);
  add_policy_explain(*noun, chosen);
  add_policy_bound(*noun, chosen);
}

}  // namespace weir::app
