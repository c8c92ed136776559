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

std::vector<Api::Route> Api::routes() {
  using enum policy::Need;
  using enum policy::Reach;
  return {
      {"POST", "/v1/streams/{stream}/events", produce, stream, &Api::ingest},
      {"GET", "/v1/streams", read, listing, &Api::streams},
      {"GET", "/v1/events", read, stream, &Api::list_events, {"stream", "from", "limit"}},
      {"GET", "/v1/events/{ref}", read, whole, &Api::event},
      {"GET", "/v1/events/{ref}/payload", operate, whole, &Api::event_payload},
      {"GET", "/v1/events/{ref}/explain", read, whole, &Api::explain, {"flow", "format"}},
      {"GET", "/v1/flows", read, listing, &Api::flows},
      {"GET", "/v1/flows/{flow}", read, flow, &Api::flow},
      {"POST", "/v1/flows/{flow}/pause", operate, flow, &Api::pause_flow},
      {"POST", "/v1/flows/{flow}/resume", operate, flow, &Api::resume_flow},
      {"DELETE", "/v1/flows/{flow}", administer, flow, &Api::remove_flow},
      {"GET", "/v1/dependencies", read, whole, &Api::dependencies},
      {"GET", "/v1/dependencies/{dependency}", read, whole, &Api::dependency},
      {"POST", "/v1/dependencies/{dependency}/breaker", operate, whole, &Api::control_breaker},
      {"GET", "/v1/groups", read, whole, &Api::groups, {"all"}},
      {"GET", "/v1/groups/{group}", read, whole, &Api::group},
      {"PATCH", "/v1/groups/{group}", operate, whole, &Api::annotate_group},
      {"GET", "/v1/groups/{group}/insight", read, whole, &Api::group_insight},
      {"GET", "/v1/groups/{group}/split", read, whole, &Api::split_group, {"by"}},
      {"GET",
       "/v1/quarantine",
       read,
       flow,
       &Api::quarantine,
       {"group", "flow", "dependency", "class", "status", "key", "type", "mark", "since", "until",
        "where", "limit", "cursor"}},
      {"POST", "/v1/quarantine/resolve", operate, whole, &Api::resolve},
      {"POST", "/v1/quarantine/discard", operate, whole, &Api::discard},
      {"POST", "/v1/quarantine/archive", operate, whole, &Api::archive},
      {"POST", "/v1/quarantine/restore", operate, whole, &Api::restore},
      {"GET", "/v1/replays", read, whole, &Api::list_replays},
      {"POST", "/v1/replays", operate, whole, &Api::plan_replay, {"dryRun", "reason"}},
      {"GET", "/v1/replays/{replay}", read, whole, &Api::replay, {"joined"}},
      {"PUT", "/v1/replays/{replay}", operate, whole, &Api::edit_replay, {"reason"}},
      {"GET",
       "/v1/replays/{replay}/items",
       read,
       whole,
       &Api::replay_items,
       {"state", "limit", "cursor"}},
      {"POST", "/v1/replays/{replay}/run", operate, whole, &Api::run_replay},
      {"POST", "/v1/replays/{replay}/pause", operate, whole, &Api::pause_replay},
      {"POST", "/v1/replays/{replay}/resume", operate, whole, &Api::resume_replay},
      {"POST", "/v1/replays/{replay}/slow", operate, whole, &Api::slow_replay},
      {"POST", "/v1/replays/{replay}/abort", operate, whole, &Api::abort_replay},
      {"POST", "/v1/markers", operate, whole, &Api::mark},
      {"GET", "/v1/audit", read, whole, &Api::audit, {"before", "limit"}},
      {"GET", "/v1/status", read, whole, &Api::status},
      {"GET", "/v1/watch", read, whole, &Api::watch},
      {"POST", "/v1/config/reload", administer, whole, &Api::reload},
      {"POST", "/v1/config/rollback", administer, whole, &Api::rollback},
      {"GET", "/v1/config/versions", read, whole, &Api::config_versions},
      {"GET", "/v1/config/versions/{version}", operate, whole, &Api::config_version},
      {"GET", "/v1/config/diff", operate, whole, &Api::config_diff, {"from", "to"}},
      {"GET", "/v1/tokens", administer, whole, &Api::tokens},
      {"POST", "/v1/tokens", administer, whole, &Api::create_token},
      {"DELETE", "/v1/tokens/{token}", administer, whole, &Api::revoke_token},
      {"GET", "/v1/openapi.json", open, listing, &Api::openapi},
      {"GET", "/livez", open, listing, &Api::live_probe},
      {"GET", "/readyz", open, listing, &Api::ready_probe},
      {"GET", "/startupz", open, listing, &Api::ready_probe},
      {"GET", "/metrics", read, whole, &Api::metrics},
  };
}

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
