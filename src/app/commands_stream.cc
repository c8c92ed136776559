// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/output.h"

namespace weir::app {
namespace {

struct ShredAsked {
  std::string stream;
  std::string confirm;
};

int shred(Session& session, const ShredAsked& asked) {
  wire::JsonWriter json;
  json.begin_object().field("confirm", asked.confirm).field("reason", session.options().reason);
  json.end_object();
  const Reply reply = session.post(path_to("streams", asked.stream, "shred"), json.text());
  if (!reply) return reply.exit;
  print_one(session, reply.root(), "stream",
            {{"stream", "stream"}, {"keys destroyed", "keysDestroyed", CellKind::count}},
            session.now());
  session.note("backups from before still hold the key: they stay readable with the master key");
  return kExitOk;
}

}  // namespace

void add_stream_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* noun = root.add_subcommand("stream", "events inside Weir");
  noun->require_subcommand(1);
  auto asked = std::make_shared<ShredAsked>();
  CLI::App* command = noun->add_subcommand(
      "shred", "destroy the keys and the events of a stream for good; needs --reason");
  command->add_option("STREAM", asked->stream)->required()->option_text(" ");
  command->add_option("--confirm", asked->confirm, "the name again")
      ->required()
      ->option_text("STREAM");
  command->callback([&chosen, asked] {
    chosen.action = [asked](Session& session) { return shred(session, *asked); };
  });
}

}  // namespace weir::app
