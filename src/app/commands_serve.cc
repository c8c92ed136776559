// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/serve.h"

namespace weir::app {

void add_serve_command(CLI::App& root, Chosen& chosen) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = root.add_subcommand("serve", "run Weir");
  command
      ->add_option("--config", options->config, "the configuration: a file, or a folder of *.yaml")
      ->required()
      ->option_text("PATH");
  command
      ->add_option("--data", options->data,
                   "the data folder; instead of `data` of the configuration")
      ->option_text("DIR");
  command->add_option("--listen", options->listen, "instead of listen.http of the configuration")
      ->option_text("HOST:PORT");
  command->callback(
      [&chosen, options] { chosen.action = [options](Session&) { return run_serve(*options); }; });
}

}  // namespace weir::app
