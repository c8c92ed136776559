// SPDX-License-Identifier: Apache-2.0
#include "api/effect_door.h"

#include <algorithm>

#include <fmt/format.h>

#include "api/origin.h"
#include "base/text.h"
#include "wire/percent.h"

namespace weir::api {
namespace {

constexpr std::string_view kPrefix = "/effects/";

std::string header_or_empty(const net::HttpRequest& request, std::string_view name) {
  const std::string* value = request.header(name);
  return value == nullptr ? std::string() : *value;
}

// "/a/../b" would leave what the dependency's url is meant to bound; so would "/a/..;v=1/b" where a
// server takes parameters off a segment before it looks at it.
bool has_dot_segments(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    const auto decoded = wire::percent_decode(segment);
    if (!decoded || decoded->contains('/') || decoded->contains('\\')) return true;
    const std::string_view name = std::string_view(*decoded).substr(0, decoded->find(';'));
    if (name == "." || name == "..") return true;
  }
  return false;
}

Result<> check_word(std::string_view header, std::string_view value) {
  const bool good = value.size() <= effects::kKeyBytesMax &&
                    std::ranges::all_of(value, [](char c) { return c >= ' ' && c < 0x7F; });
  if (good) return {};
  return Error{Code::invalid_argument,
               fmt::format("{} has more than {} characters, or some that are not printable ASCII",
                           header, effects::kKeyBytesMax),
               "a hash of it fits"};
}

}  // namespace

bool is_effect_call(std::string_view path) { return path.starts_with(kPrefix); }

std::optional<net::HttpResponse> screen_effect(const policy::RunningAttempts& running,
                                               const net::HttpRequest& request) {
  if (running.find(header_or_empty(request, "weir-token")) != nullptr) return std::nullopt;
  return net::problem_response(
      Error{Code::effect_token_unknown, "the Weir-Token is unknown, or its attempt is over",
            "pass on the Weir-Token of the call that the handler is working on"});
}

Result<effects::EffectRequest> read_effect_request(net::HttpRequest request) {
  if (request.method == "CONNECT" || request.method == "TRACE")
    return Error{Code::method_not_allowed, request.method + " is no effect", ""};
  std::string_view rest = std::string_view(request.path).substr(kPrefix.size());
  effects::EffectRequest effect{.dependency = std::string(rest.substr(0, rest.find('/'))),
                                .method = std::move(request.method),
                                .body = std::move(request.body)};
  rest.remove_prefix(effect.dependency.size());
  if (effect.dependency.empty())
    return Error{Code::not_found, "no dependency is named", "/effects/{dependency}/{path}"};
  if (has_dot_segments(rest)) {
    return Error{Code::invalid_argument, fmt::format("'{}' has dot segments", printable(rest)),
                 "write the path without '.' and '..'"};
  }
  effect.target = rest.empty() ? "/" : std::string(rest);
  if (!request.query.empty()) effect.target += "?" + request.query;
  effect.token = header_or_empty(request, "weir-token");
  effect.caller_key = header_or_empty(request, "idempotency-key");
  effect.step = header_or_empty(request, "weir-step");
  effect.name = header_or_empty(request, "weir-effect");
  WEIR_CHECK(check_word("Idempotency-Key", effect.caller_key));
  WEIR_CHECK(check_word("Weir-Step", effect.step));
  WEIR_CHECK(check_word("Weir-Effect", effect.name));
  if (effect.token.empty()) {
    return Error{Code::effect_token_unknown, "there is no Weir-Token",
                 "pass on the Weir-Token of the call that the handler is working on"};
  }
  for (net::HttpHeader& header : request.headers)
    effect.headers.emplace_back(std::move(header.name), std::move(header.value));
  return effect;
}

async::Task<net::HttpResponse> call_effect(effects::Gateway& gateway, net::HttpRequest request) {
  const std::string origin = header_or_empty(request, "origin");
  const std::string host = header_or_empty(request, "host");
  if (const auto allowed = check_origin(origin, host); !allowed.ok())
    co_return net::problem_response(allowed.error());
  auto effect = read_effect_request(std::move(request));
  if (!effect.ok()) co_return net::problem_response(effect.error());
  effects::EffectReply reply = co_await gateway.call(*std::move(effect));
  net::HttpResponse response;
  if (reply.error) {
    response = net::problem_response(*reply.error);
  } else {
    response.status = reply.answer.status;
    response.body = std::move(reply.answer.body);
    for (auto& [name, value] : reply.answer.headers)
      response.headers.push_back({std::move(name), std::move(value)});
  }
  std::erase_if(response.headers,
                [](const net::HttpHeader& header) { return header.name == "weir-effect"; });
  if (!reply.standing.empty())
    response.headers.push_back({"weir-effect", std::string(reply.standing)});
  if (reply.retry_after > Duration::zero()) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(reply.retry_after).count();
    std::erase_if(response.headers,
                  [](const net::HttpHeader& header) { return header.name == "retry-after"; });
    response.headers.push_back({"retry-after", fmt::format("{}", seconds)});
  }
  co_return response;
}

}  // namespace weir::api
