// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "api/answers.h"
#include "api/api.h"
#include "base/text.h"

namespace weir::api {
namespace {

void write_names(wire::JsonWriter& json, std::string_view name,
                 const std::vector<std::string>& names) {
  if (names.empty()) return;
  json.key(name).begin_array();
  for (const std::string& one : names) json.value(one);
  json.end_array();
}

std::string_view state_of(const Tokens& tokens, const AccessToken& token, WallTime now) {
  if (token.revoked != WallTime{}) return "revoked";
  if (tokens.is_revoking(token.id)) return "revoking";
  return token.is_live(now) ? "live" : "expired";
}

void write_members(wire::JsonWriter& json, const Tokens& tokens, const AccessToken& token,
                   WallTime now) {
  const WallTime used = tokens.last_used(token.id);
  json.field("token", to_text(token.id)).field("name", token.name).field("subject", token.subject);
  json.key("roles").begin_array();
  for (const Role role : kRoles) {
    if (token.roles.has(role)) json.value(to_text(role));
  }
  json.end_array();
  write_names(json, "streams", token.scope.streams);
  write_names(json, "flows", token.scope.flows);
  json.field("state", state_of(tokens, token, now)).field("createdAt", to_rfc3339(token.created));
  json.field("expiresAt", to_rfc3339(token.expires));
  if (token.revoked != WallTime{}) json.field("revokedAt", to_rfc3339(token.revoked));
  if (used != WallTime{}) json.field("lastUsedAt", to_rfc3339(used));
}

Result<TokenWish> wish_of(const JsonBody& body) {
  TokenWish wish;
  WEIR_TRY(wish.name, body.text("name"));
  WEIR_TRY(wish.subject, body.text("subject"));
  WEIR_TRY(const auto roles, body.texts("roles"));
  for (const std::string& name : roles) {
    const auto role = parse_role(name);
    if (!role) {
      return Error{Code::invalid_argument, fmt::format("'{}' is no role", printable(name)),
                   did_you_mean(name, role_names())};
    }
    wish.roles.add(*role);
  }
  WEIR_TRY(wish.scope.streams, body.texts("streams"));
  WEIR_TRY(wish.scope.flows, body.texts("flows"));
  WEIR_TRY(const auto lasts, body.duration("expires"));
  wish.lasts = lasts.value_or(kTokenLasts);
  WEIR_CHECK(check_wish(wish));
  return wish;
}

// A name in a scope that is nothing's would only look like a limit.
Result<> check_names(const Scope& scope, const delivery::Engine& engine) {
  std::vector<std::string> streams, flows;
  for (const StreamRecord& stream : engine.streams()) streams.push_back(stream.name);
  for (const FlowSpec& flow : engine.config().flows) flows.push_back(flow.name);
  for (const std::string& name : scope.streams) {
    if (std::ranges::find(streams, name) == streams.end())
      return Error{Code::unknown_stream, fmt::format("unknown stream '{}'", printable(name)),
                   did_you_mean(name, streams)};
  }
  for (const std::string& name : scope.flows) {
    if (std::ranges::find(flows, name) == flows.end()) return unknown_flow(name, flows);
  }
  return {};
}

}  // namespace

Api::Answer Api::tokens(Call) {
  const WallTime now = parts_.clock.wall();
  wire::JsonWriter json;
  json.begin_object().key("tokens").begin_array();
  for (const auto& [id, token] : parts_.tokens.all()) {
    json.begin_object();
    write_members(json, parts_.tokens, token, now);
    json.end_object();
  }
  json.end_array().end_object();
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::create_token(Call call) {
  auto body = JsonBody::parse(
      call.request.body, {"name", "subject", "roles", "streams", "flows", "expires", "reason"});
  if (!body.ok()) co_return net::problem_response(body.error());
  auto wish = wish_of(*body);
  if (!wish.ok()) co_return net::problem_response(wish.error());
  if (const auto known = check_names(wish->scope, parts_.engine); !known.ok())
    co_return net::problem_response(known.error());
  auto reason = body->text("reason");
  if (!reason.ok()) co_return net::problem_response(reason.error());
  const WallTime now = parts_.clock.wall();
  NewToken made = parts_.tokens.prepare(std::move(*wish), parts_.secret(), now);
  auto put = co_await parts_.tokens.put(made.token,
                                        {.at = now, .actor = call.actor, .reason = *reason});
  if (!put.ok()) co_return net::problem_response(put.error());
  wire::JsonWriter json;
  json.begin_object();
  write_members(json, parts_.tokens, made.token, now);
  json.field("secret", made.text).end_object();
  net::HttpResponse answer = json_answer(std::move(json).take(), 201);
  answer.headers.push_back({"cache-control", "no-store"});
  co_return answer;
}

Api::Answer Api::revoke_token(Call call) {
  auto reason = required_reason(call);
  if (!reason.ok()) co_return net::problem_response(reason.error());
  const auto id = parse_token_id(call.param("token"));
  if (!id) {
    co_return net::problem_response(
        Error{Code::unknown_token, fmt::format("'{}' is no token", printable(call.param("token"))),
              "its id, as in `weir auth token list`: t3"});
  }
  const WallTime now = parts_.clock.wall();
  auto revoked = co_await parts_.tokens.revoke(*id,
                                               {.at = now, .actor = call.actor, .reason = *reason});
  if (!revoked.ok()) co_return net::problem_response(revoked.error());
  wire::JsonWriter json;
  json.begin_object();
  write_members(json, parts_.tokens, *revoked, now);
  json.end_object();
  co_return json_answer(std::move(json).take());
}

}  // namespace weir::api
