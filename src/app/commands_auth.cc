// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/output.h"

namespace weir::app {
namespace {

const ListView kTokens{.member = "tokens",
                       .name = "token",
                       .columns = {{"TOKEN", "token"},
                                   {"NAME", "name"},
                                   {"SUBJECT", "subject"},
                                   {"ROLES", "roles", CellKind::list},
                                   {"STREAMS", "streams", CellKind::list, 2},
                                   {"FLOWS", "flows", CellKind::list, 2},
                                   {"STATE", "state"},
                                   {"EXPIRES", "expiresAt", CellKind::age, 3},
                                   {"LAST USED", "lastUsedAt", CellKind::age, 1}},
                       .nothing = "No tokens: access is open, or certificates let people in."};

const std::vector<Fact> kTokenFacts = {{"token", "token"},
                                       {"name", "name"},
                                       {"subject", "subject"},
                                       {"roles", "roles", CellKind::list},
                                       {"streams", "streams", CellKind::list},
                                       {"flows", "flows", CellKind::list},
                                       {"state", "state"},
                                       {"created", "createdAt"},
                                       {"expires", "expiresAt"},
                                       {"revoked", "revokedAt"},
                                       {"last used", "lastUsedAt", CellKind::age}};

struct TokenFlags {
  std::string name;
  std::string subject;
  std::vector<std::string> roles;
  std::vector<std::string> streams;
  std::vector<std::string> flows;
  std::string expires;
};

void write_names_of(wire::JsonWriter& json, std::string_view name,
                    const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  json.key(name).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

int create_token(Session& session, const TokenFlags& flags) {
  wire::JsonWriter json;
  json.begin_object().field("name", flags.name).field("subject", flags.subject);
  write_names_of(json, "roles", flags.roles);
  write_names_of(json, "streams", flags.streams);
  write_names_of(json, "flows", flags.flows);
  if (!flags.expires.empty()) json.field("expires", flags.expires);
  if (!session.options().reason.empty()) json.field("reason", session.options().reason);
  json.end_object();
  const Reply reply = session.post("/v1/tokens", std::move(json).take());
  if (!reply) return reply.exit;
  // -o name prints the token alone, to be redirected into a file.
  print_one(session, reply.root(), "secret", kTokenFacts, session.now());
  if (!session.is_table()) return kExitOk;
  session.print(fmt::format("\n{}\n", text_at(reply.root(), "secret")));
  session.note("The last line is the token. It is shown this once; Weir keeps only its hash.");
  return kExitOk;
}

int list_tokens(Session& session) {
  const Reply reply = session.get("/v1/tokens");
  if (!reply) return reply.exit;
  print_list(session, reply, kTokens, session.now());
  return kExitOk;
}

int revoke_token(Session& session, const std::string& token) {
  const Reply reply = session.send({.method = "DELETE",
                                    .path = path_to("tokens", token),
                                    .headers = {{"content-type", "application/json"}},
                                    .body = session.reason_body()});
  if (!reply) return reply.exit;
  print_one(session, reply.root(), "token", kTokenFacts, session.now());
  return kExitOk;
}

void add_token_create(CLI::App& noun, Chosen& chosen) {
  auto flags = std::make_shared<TokenFlags>();
  CLI::App* command = noun.add_subcommand("create", "a new token; it is shown once");
  command->add_option("--name", flags->name, "what it is for: laptop, ci")
      ->required()
      ->option_text("NAME");
  command
      ->add_option("--subject", flags->subject, "whose it is; several tokens may be one person's")
      ->required()
      ->option_text("SUBJECT");
  command
      ->add_option("--role", flags->roles,
                   "viewer, operator, approver, admin, producer or worker; again for more")
      ->required()
      ->option_text("ROLE");
  command->add_option("--stream", flags->streams, "only this stream; again for more")
      ->option_text("STREAM");
  command->add_option("--flow", flags->flows, "only this flow; again for more")
      ->option_text("FLOW");
  command->add_option("--expires", flags->expires, "after this time, 90d if nothing is said")
      ->option_text("DURATION");
  command->callback([&chosen, flags] {
    chosen.action = [flags](Session& session) { return create_token(session, *flags); };
  });
}

}  // namespace

void add_auth_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* auth = root.add_subcommand("auth", "who may do what");
  auth->require_subcommand(1);
  CLI::App* noun = auth->add_subcommand("token", "access tokens");
  noun->require_subcommand(1);
  add_token_create(*noun, chosen);
  noun->add_subcommand("list", "every token, without its text")->alias("ls")->callback([&chosen] {
    chosen.action = list_tokens;
  });
  auto token = std::make_shared<std::string>();
  CLI::App* command = noun->add_subcommand("revoke", "end a token at once; needs --reason");
  command->add_option("TOKEN", *token, "its id, as in t3")->required()->option_text(" ");
  command->callback([&chosen, token] {
    chosen.action = [token](Session& session) { return revoke_token(session, *token); };
  });
}

}  // namespace weir::app
