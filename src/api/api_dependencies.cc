// SPDX-License-Identifier: Apache-2.0
#include "api/answers.h"
#include "api/api.h"
#include "api/views.h"
#include "base/text.h"

namespace weir::api {
namespace {

constexpr Duration kForMax = std::chrono::hours{24 * 30};

Error unknown_dependency(const delivery::Engine& engine, std::string_view name) {
  std::vector<std::string> names;
  for (delivery::Dispatcher* known : engine.dispatchers()) names.push_back(known->spec().name);
  return Error{Code::unknown_dependency, fmt::format("unknown dependency '{}'", printable(name)),
               did_you_mean(name, names)};
}

// {"state": "open" | "closed" | "auto", "for": "10m", "reason": "..."}
Result<BreakerControl> control_in(const Call& call, WallTime now) {
  WEIR_TRY(const JsonBody body, JsonBody::parse(call.request.body, {"state", "for", "reason"}));
  BreakerControl control{.since = now, .actor = call.actor};
  WEIR_TRY(const std::string state, body.text("state"));
  const auto order = parse_breaker_order(state);
  if (!order) {
    return Error{Code::invalid_argument,
                 fmt::format("'{}' is no state of a breaker", printable(state)),
                 "open, closed or auto"};
  }
  control.order = *order;
  WEIR_TRY(control.reason, required_reason(body));
  WEIR_TRY(const auto lasts, body.duration("for"));
  if (lasts &&
      (*lasts <= Duration::zero() || *lasts > kForMax || *order == BreakerOrder::automatic))
    return Error{Code::invalid_argument,
                 "'for' must be above 0 and at most 30 d, for open or closed", ""};
  if (lasts) control.until = now + *lasts;
  return control;
}

}  // namespace

Api::Answer Api::dependencies(Call) {
  wire::JsonWriter json;
  json.begin_object().key("dependencies").begin_array();
  for (delivery::Dispatcher* dispatcher : parts_.engine.dispatchers()) {
    write_dependency(json, *dispatcher, parts_.clock.mono());
  }
  json.end_array().end_object();
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::dependency(Call call) {
  delivery::Dispatcher* dispatcher = parts_.engine.find_dispatcher(call.param("dependency"));
  if (dispatcher == nullptr)
    co_return net::problem_response(unknown_dependency(parts_.engine, call.param("dependency")));
  wire::JsonWriter json;
  write_dependency(json, *dispatcher, parts_.clock.mono());
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::control_breaker(Call call) {
  auto control = control_in(call, parts_.clock.wall());
  if (!control.ok()) co_return net::problem_response(control.error());
  auto done = co_await parts_.engine.control_breaker(std::string(call.param("dependency")),
                                                     std::move(*control));
  if (!done.ok()) co_return net::problem_response(done.error());
  co_return co_await dependency(std::move(call));
}

}  // namespace weir::api
