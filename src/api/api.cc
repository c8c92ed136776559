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

constexpr std::string_view kDefaultActor = "local:unknown";

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

bool is_actor(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' ||
           c == '.' || c == '_' || c == '-' || c == '@';
  };
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, fits);
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
  return {
      {"POST", "/v1/streams/{stream}/events", &Api::ingest},
      {"GET", "/v1/streams", &Api::streams},
      {"POST", "/v1/streams/{stream}/shred", &Api::shred_stream},
      {"GET", "/v1/events", &Api::list_events, {"stream", "from", "limit"}},
      {"GET", "/v1/events/{ref}", &Api::event},
      {"GET", "/v1/events/{ref}/payload", &Api::event_payload},
      {"GET", "/v1/events/{ref}/explain", &Api::explain, {"flow", "format"}},
      {"GET", "/v1/flows", &Api::flows},
      {"GET", "/v1/flows/{flow}", &Api::flow},
      {"POST", "/v1/flows/{flow}/pause", &Api::pause_flow},
      {"POST", "/v1/flows/{flow}/resume", &Api::resume_flow},
      {"DELETE", "/v1/flows/{flow}", &Api::remove_flow},
      {"GET", "/v1/dependencies", &Api::dependencies},
      {"GET", "/v1/dependencies/{dependency}", &Api::dependency},
      {"POST", "/v1/dependencies/{dependency}/breaker", &Api::control_breaker},
      {"GET", "/v1/groups", &Api::groups, {"all"}},
      {"GET", "/v1/groups/{group}", &Api::group},
      {"PATCH", "/v1/groups/{group}", &Api::annotate_group},
      {"GET", "/v1/groups/{group}/insight", &Api::group_insight},
      {"GET", "/v1/groups/{group}/split", &Api::split_group, {"by"}},
      {"GET",
       "/v1/quarantine",
       &Api::quarantine,
       {"group", "flow", "dependency", "class", "status", "key", "type", "mark", "since", "until",
        "where", "limit", "cursor"}},
      {"POST", "/v1/quarantine/resolve", &Api::resolve},
      {"POST", "/v1/quarantine/discard", &Api::discard},
      {"POST", "/v1/quarantine/archive", &Api::archive},
      {"POST", "/v1/quarantine/restore", &Api::restore},
      {"GET", "/v1/replays", &Api::list_replays},
      {"POST", "/v1/replays", &Api::plan_replay, {"dryRun", "reason"}},
      {"GET", "/v1/replays/{replay}", &Api::replay, {"joined"}},
      {"PUT", "/v1/replays/{replay}", &Api::edit_replay, {"reason"}},
      {"GET", "/v1/replays/{replay}/items", &Api::replay_items, {"state", "limit", "cursor"}},
      {"POST", "/v1/replays/{replay}/run", &Api::run_replay},
      {"POST", "/v1/replays/{replay}/pause", &Api::pause_replay},
      {"POST", "/v1/replays/{replay}/resume", &Api::resume_replay},
      {"POST", "/v1/replays/{replay}/slow", &Api::slow_replay},
      {"POST", "/v1/replays/{replay}/abort", &Api::abort_replay},
      {"POST", "/v1/markers", &Api::mark},
      {"GET", "/v1/audit", &Api::audit, {"before", "limit"}},
      {"GET", "/v1/status", &Api::status},
      {"GET", "/v1/watch", &Api::watch},
      {"POST", "/v1/config/reload", &Api::reload},
      {"POST", "/v1/config/rollback", &Api::rollback},
      {"GET", "/v1/config/versions", &Api::config_versions},
      {"GET", "/v1/config/versions/{version}", &Api::config_version},
      {"GET", "/v1/config/diff", &Api::config_diff, {"from", "to"}},
      {"GET", "/v1/openapi.json", &Api::openapi},
      {"GET", "/livez", &Api::live_probe},
      {"GET", "/readyz", &Api::ready_probe},
      {"GET", "/startupz", &Api::ready_probe},
      {"GET", "/metrics", &Api::metrics},
  };
}

async::Task<net::HttpResponse> Api::handle(net::HttpRequest request) {
  const auto header = [&](std::string_view name) {
    const std::string* value = request.header(name);
    return value == nullptr ? std::string_view{} : std::string_view{*value};
  };
  if (const auto allowed = check_origin(header("origin"), header("host")); !allowed.ok())
    co_return net::problem_response(allowed.error());
  std::string allowed;
  for (const Route& route : routes_) {
    auto params = match(route.pattern, request.path);
    if (!params) continue;
    const bool head = request.method == "HEAD" && route.method == "GET";
    if (route.method != request.method && !head) {
      allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", route.method);
      continue;
    }
    auto query = wire::parse_query(request.query);
    if (!query.ok()) co_return net::problem_response(query.error());
    // A scraper or a probe may add what it likes.
    if (route.pattern.starts_with("/v1/")) {
      if (const auto known = check_query(route, *query); !known.ok())
        co_return net::problem_response(known.error());
    }
    Call call{
        .request = std::move(request), .path = std::move(*params), .query = std::move(*query)};
    const std::string* actor = call.request.header("weir-actor");
    call.actor = actor != nullptr && is_actor(*actor) ? *actor : std::string(kDefaultActor);
    co_return co_await (this->*route.run)(std::move(call));
  }
  if (!allowed.empty()) {
    net::HttpResponse answer = net::problem_response(
        Error{Code::method_not_allowed,
              fmt::format("{} is not possible on {}", request.method, request.path),
              "allowed: " + allowed});
    answer.headers.push_back({"allow", allowed});
    co_return answer;
  }
  std::vector<std::string> known;
  for (const Route& route : routes_) known.emplace_back(route.pattern);
  co_return net::problem_response(Error{Code::not_found,
                                        fmt::format("there is no {}", request.path),
                                        nearest_hint(request.path, known)});
}

}  // namespace weir::api
