// SPDX-License-Identifier: Apache-2.0
#include "api/api.h"

#include <algorithm>
#include <optional>

#include "api/answers.h"
#include "api/origin.h"
#include "base/text.h"
#include "wire/percent.h"

namespace weir::api {
namespace {

std::string_view next_segment(std::string_view& rest) {
  while (rest.starts_with('/')) rest.remove_prefix(1);
  const std::string_view segment = rest.substr(0, rest.find('/'));
  rest.remove_prefix(segment.size());
  return segment;
}

// The path parameters if the path fits the pattern.
std::optional<std::map<std::string, std::string, std::less<>>> match(std::string_view pattern,
                                                                     std::string_view path) {
  std::map<std::string, std::string, std::less<>> params;
  for (;;) {
    const std::string_view wanted = next_segment(pattern);
    const std::string_view given = next_segment(path);
    if (wanted.empty() && given.empty()) return params;
    if (wanted.empty() || given.empty()) return std::nullopt;
    if (wanted.starts_with('{')) {
      const auto decoded = wire::percent_decode(given);
      if (!decoded) return std::nullopt;
      params.emplace(wanted.substr(1, wanted.size() - 2), *decoded);
    } else if (wanted != given) {
      return std::nullopt;
    }
  }
}

bool is_method(const Api::Route& route, std::string_view method) {
  return route.method == method || (method == "HEAD" && route.method == "GET");
}

Result<> check_query(const Api::Route& route,
                     const std::map<std::string, std::string, std::less<>>& query) {
  for (const auto& [name, value] : query) {
    if (std::ranges::find(route.query, name) != route.query.end()) continue;
    return Error{Code::invalid_argument,
                 fmt::format("{} {} has no query parameter '{}'", route.method, route.pattern,
                             printable(name)),
                 did_you_mean(name, route.query)};
  }
  return {};
}

}  // namespace

std::string_view Call::param(std::string_view name) const {
  const auto found = path.find(name);
  return found == path.end() ? std::string_view{} : found->second;
}

std::string_view Call::arg(std::string_view name) const {
  const auto found = query.find(name);
  return found == query.end() ? std::string_view{} : found->second;
}

Api::Api(ApiParts parts) : parts_(std::move(parts)), routes_(routes()) {}

// Out of scope is answered before anything is looked up: whether it exists is not told.
Result<> Api::check_scope(const Route& route, const Call& call) const {
  const Scope& scope = call.caller.scope;
  if (scope.is_all() || route.reach == policy::Reach::listing) return {};
  const std::string limits = fmt::format("this token is limited to {}", to_text(scope));
  const bool of_stream = route.reach == policy::Reach::stream;
  const std::string_view what = of_stream ? "stream" : "flow";
  const std::string_view name = call.param(what).empty() ? call.arg(what) : call.param(what);
  if (route.reach == policy::Reach::whole || name.empty()) {
    return Error{
        Code::out_of_scope,
        fmt::format("{} {} concerns more than that token may touch", route.method, route.pattern),
        limits};
  }
  if (of_stream ? scope.has_stream(name) : scope.has_flow(name)) return {};
  return Error{of_stream ? Code::unknown_stream : Code::unknown_flow,
               fmt::format("unknown {} '{}'", what, printable(name)), limits};
}

net::HttpResponse Api::no_route(const net::HttpRequest& request) const {
  std::string allowed;
  for (const Route& route : routes_) {
    if (match(route.pattern, request.path))
      allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", route.method);
  }
  if (!allowed.empty()) {
    net::HttpResponse answer = net::problem_response(
        Error{Code::method_not_allowed,
              fmt::format("{} is not possible on {}", request.method, request.path),
              "allowed: " + allowed});
    answer.headers.push_back({"allow", allowed});
    return answer;
  }
  std::vector<std::string> known;
  for (const Route& route : routes_) known.emplace_back(route.pattern);
  return net::problem_response(Error{Code::not_found, fmt::format("there is no {}", request.path),
                                     nearest_hint(request.path, known)});
}

std::optional<net::HttpResponse> Api::screen(const net::HttpRequest& request) {
  for (const Route& route : routes_) {
    if (!is_method(route, request.method) || !match(route.pattern, request.path)) continue;
    if (route.need == policy::Need::open) {
      return net::problem_response(
          Error{Code::body_too_large,
                fmt::format("{} {} takes no body", route.method, route.pattern), ""});
    }
    auto admitted = parts_.gate.admit(request, route.need);
    if (auto* refused = std::get_if<net::HttpResponse>(&admitted)) return std::move(*refused);
    return std::nullopt;
  }
  return no_route(request);
}

async::Task<net::HttpResponse> Api::handle(net::HttpRequest request) {
  const auto header = [&](std::string_view name) {
    const std::string* value = request.header(name);
    return value == nullptr ? std::string_view{} : std::string_view{*value};
  };
  if (const auto allowed = check_origin(header("origin"), header("host")); !allowed.ok())
    co_return net::problem_response(allowed.error());
  for (const Route& route : routes_) {
    auto params = match(route.pattern, request.path);
    if (!params || !is_method(route, request.method)) continue;
    auto admitted = parts_.gate.admit(request, route.need);
    if (auto* refused = std::get_if<net::HttpResponse>(&admitted)) co_return std::move(*refused);
    auto query = wire::parse_query(request.query);
    if (!query.ok()) co_return net::problem_response(query.error());
    // A scraper or a probe may add what it likes.
    if (route.pattern.starts_with("/v1/")) {
      if (const auto known = check_query(route, *query); !known.ok())
        co_return net::problem_response(known.error());
    }
    Call call{.request = std::move(request),
              .path = std::move(*params),
              .query = std::move(*query),
              .caller = std::get<Caller>(std::move(admitted))};
    call.actor = call.caller.actor;
    if (const auto within = check_scope(route, call); !within.ok())
      co_return parts_.gate.forbid(within.error());
    co_return co_await (this->*route.run)(std::move(call));
  }
  co_return no_route(request);
}

}  // namespace weir::api
