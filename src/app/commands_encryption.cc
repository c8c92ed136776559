// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/key_files.h"
#include "app/output.h"

namespace weir::app {
namespace {

int print_key(Session& session, const std::string& file, const std::string& id) {
  wire::JsonWriter json;
  json.begin_object().field("file", file).field("masterKey", id).end_object();
  return print_made(session, json.text(), "masterKey",
                    {{"file", "file"}, {"master key", "masterKey"}}, session.now());
}

int create_key(Session& session, const std::string& file) {
  const auto id = create_key_file(file);
  if (!id.ok()) return session.fail(id.error());
  session.note("without this file nobody can read the data: keep a copy, apart from the backups");
  return print_key(session, file, *id);
}

int tell_key(Session& session, const std::string& file) {
  const auto key = read_key_file(file);
  if (!key.ok()) return session.fail(key.error());
  return print_key(session, file, key->id);
}

}  // namespace

void add_encryption_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* noun = root.add_subcommand("encryption", "keys of what is encrypted at rest");
  noun->require_subcommand(1);
  CLI::App* key = noun->add_subcommand("key", "key files");
  key->require_subcommand(1);
  const auto add = [&](const std::string& verb, const std::string& text,
                       int (*run)(Session&, const std::string&)) {
    auto file = std::make_shared<std::string>();
    CLI::App* command = key->add_subcommand(verb, text);
    command->add_option("FILE", *file)->required()->option_text(" ");
    command->callback([&chosen, file, run] {
      chosen.action = [file, run](Session& session) { return run(session, *file); };
    });
  };
  add("create", "make a new key file, readable by its owner only", create_key);
  add("id", "which key a file has; never the key itself", tell_key);
}

}  // namespace weir::app
