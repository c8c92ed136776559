// SPDX-License-Identifier: Apache-2.0
#include "api/gate.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/seeded_bug.h"
#include "base/text.h"

namespace weir::api {
namespace {

constexpr std::string_view kDefaultActor = "local:unknown";
constexpr std::string_view kBearer = "bearer ";
constexpr policy::Need kApprove = policy::Need::approve;

bool is_actor(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' ||
           c == '.' || c == '_' || c == '-' || c == '@';
  };
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, fits);
}

Caller everybody(const net::HttpRequest& request) {
  const std::string* actor = request.header("weir-actor");
  const std::string name = actor != nullptr && is_actor(*actor) ? *actor
                                                                : std::string(kDefaultActor);
  return {.actor = name, .subject = name, .roles = {Role::admin}};
}

const CertificateRule* rule_for(const AccessSpec& access, const net::HttpRequest& request) {
  for (const CertificateRule& rule : access.certificates) {
    if (std::ranges::find(request.peer_names, rule.san) != request.peer_names.end()) return &rule;
  }
  return nullptr;
}

Error nobody(const net::HttpRequest& request) {
  const std::string with = request.peer_names.empty()
                               ? ""
                               : "; no rule of access.certificates names its certificate";
  return {
      Code::unauthenticated,
      fmt::format("{} {} needs a token{}", request.method, printable(request.path), with),
      "send `Authorization: Bearer weir_...`; for the command line put the token into a file "
      "and `export WEIR_TOKEN_FILE=FILE`; the first start leaves one in admin.token of the data "
      "folder"};
}

}  // namespace

Result<Caller> Gate::identify(const net::HttpRequest& request) {
  const AccessSpec& access = access_();
  if (access.open) return everybody(request);
  if (const std::string* header = request.header("authorization")) {
    const std::string_view text = *header;
    if (!equals_ignore_case(text.substr(0, kBearer.size()), kBearer)) {
      return Error{Code::unauthenticated, "the Authorization header has no bearer token",
                   "`Authorization: Bearer weir_...`"};
    }
    WEIR_TRY(const AccessToken* token, tokens_.check(text.substr(kBearer.size()), clock_.wall()));
    return Caller{.actor = fmt::format("{} (token {} \"{}\")", token->subject, to_text(token->id),
                                       token->name),
                  .subject = token->subject,
                  .roles = token->roles,
                  .scope = token->scope,
                  .token = token->id};
  }
  const CertificateRule* rule = rule_for(access, request);
  if (rule == nullptr) return nobody(request);
  return Caller{.actor = fmt::format("{} (certificate {})", rule->subject, rule->san),
                .subject = rule->subject,
                .roles = rule->roles,
                .certificate = rule->san};
}

net::HttpResponse Gate::refuse(const Error& error, const net::HttpRequest& request) {
  const bool given = request.header("authorization") != nullptr;
  // What has expired or was revoked is nobody's guess.
  if (given && error.code == Code::unauthenticated) {
    if (const auto wait = attempts_.wrong(request.peer, clock_.mono())) {
      ++counts_.limited;
      net::HttpResponse answer = net::problem_response(
          Error{Code::too_many_attempts, "too many wrong tokens came from this address",
                "send a valid one; those get in at any time"});
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
      answer.headers.push_back({"retry-after", fmt::format("{}", seconds)});
      return answer;
    }
  }
  ++counts_.unauthenticated;
  net::HttpResponse answer = net::problem_response(error);
  answer.headers.push_back(
      {"www-authenticate",
       given ? "Bearer realm=\"weir\", error=\"invalid_token\"" : "Bearer realm=\"weir\""});
  return answer;
}

net::HttpResponse Gate::forbid(const Error& error) {
  ++counts_.forbidden;
  net::HttpResponse answer = net::problem_response(error);
  if (error.code == Code::forbidden)
    answer.headers.push_back(
        {"www-authenticate", "Bearer realm=\"weir\", error=\"insufficient_scope\""});
  return answer;
}

std::variant<Caller, net::HttpResponse> Gate::admit(const net::HttpRequest& request,
                                                    policy::Need need) {
  if (need == policy::Need::open) return Caller{};
  auto caller = identify(request);
  if (!caller.ok()) return refuse(caller.error(), request);
  if (policy::may(caller->roles, need) || WEIR_SEEDED_BUG("gate.any_token_may"))
    return *std::move(caller);
  return forbid(
      Error{Code::forbidden,
            fmt::format("{} has the role {}; {} {} needs {}", caller->actor, to_text(caller->roles),
                        request.method, printable(request.path), to_text(policy::roles_for(need))),
            "any of these is enough; an admin makes tokens: `weir auth token create`"});
}

bool Gate::is_valid(const Caller& caller) const {
  const AccessSpec& access = access_();
  if (access.open) return true;
  if (caller.token) return tokens_.is_live(caller.token, clock_.wall());
  return std::ranges::find(access.certificates, caller.certificate, &CertificateRule::san) !=
         access.certificates.end();
}

bool Gate::may_approve(const std::string& subject, const std::string& with) const {
  if (const auto id = parse_token_id(with)) {
    const auto token = tokens_.all().find(*id);
    return token != tokens_.all().end() && token->second.is_live(clock_.wall()) &&
           token->second.subject == subject && policy::may(token->second.roles, kApprove);
  }
  const auto& rules = access_().certificates;
  const auto rule = std::ranges::find(rules, with, &CertificateRule::san);
  return rule != rules.end() && rule->subject == subject && policy::may(rule->roles, kApprove);
}

}  // namespace weir::api
