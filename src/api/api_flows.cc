// SPDX-License-Identifier: Apache-2.0
#include "api/answers.h"
#include "api/api.h"
#include "api/views.h"
#include "model/flow_state.h"
#include "recovery/flow_removal.h"

namespace weir::api {
namespace {

struct RemoveRequest {
  std::string reason;
  bool break_glass = false;
};

Result<RemoveRequest> remove_request(const Call& call, const ApprovalsSpec& approvals) {
  WEIR_TRY(const JsonBody body, JsonBody::parse(call.request.body, {"reason", "breakGlass"}));
  RemoveRequest request;
  WEIR_TRY(request.reason, required_reason(body));
  WEIR_TRY(request.break_glass, break_glass_in(body, call.caller, approvals));
  return request;
}

Error unknown_flow(const delivery::Engine& engine, std::string_view name) {
  std::vector<std::string> names;
  for (const delivery::FlowView& view : engine.flow_views()) names.push_back(view.spec->name);
  return weir::unknown_flow(name, names);
}

}  // namespace

Api::Answer Api::flows(Call call) {
  auto counts = co_await parts_.store.flows().counts();
  if (!counts.ok()) co_return net::problem_response(counts.error());
  wire::JsonWriter json;
  json.begin_object().key("flows").begin_array();
  const Scope& scope = call.caller.scope;
  for (const delivery::FlowView& view : parts_.engine.flow_views()) {
    if (!scope.has_flow(view.spec->name)) continue;
    write_flow(json, view, counts_of(*counts, view.record->id));
  }
  json.end_array().key("removed").begin_array();
  for (const FlowRecord& record : parts_.engine.removed_flows()) {
    if (!scope.has_flow(record.name)) continue;
    const ports::FlowCounts left = counts_of(*counts, record.id);
    json.begin_object()
        .field("flow", record.name)
        .field("quarantined", left.quarantined)
        .field("waiting", left.waiting);
    json.field("floor", record.cursor.floor).end_object();
  }
  json.end_array().end_object();
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::flow(Call call) {
  auto counts = co_await parts_.store.flows().counts();
  if (!counts.ok()) co_return net::problem_response(counts.error());
  for (const delivery::FlowView& view : parts_.engine.flow_views()) {
    if (view.spec->name != call.param("flow")) continue;
    wire::JsonWriter json;
    write_flow(json, view, counts_of(*counts, view.record->id));
    co_return json_answer(std::move(json).take());
  }
  co_return net::problem_response(unknown_flow(parts_.engine, call.param("flow")));
}

Api::Answer Api::pause_flow(Call call) {
  auto reason = required_reason(call);
  if (!reason.ok()) co_return net::problem_response(reason.error());
  auto done = co_await parts_.engine.pause(std::string(call.param("flow")), *reason, call.actor);
  if (!done.ok()) co_return net::problem_response(done.error());
  co_return co_await flow(std::move(call));
}

Api::Answer Api::resume_flow(Call call) {
  auto reason = required_reason(call);
  if (!reason.ok()) co_return net::problem_response(reason.error());
  auto done = co_await parts_.engine.resume(std::string(call.param("flow")), *reason, call.actor);
  if (!done.ok()) co_return net::problem_response(done.error());
  co_return co_await flow(std::move(call));
}

Api::Answer Api::remove_flow(Call call) {
  auto request = remove_request(call, parts_.engine.config().approvals);
  if (!request.ok()) co_return net::problem_response(request.error());
  const std::string name(call.param("flow"));
  const auto flow = parts_.engine.removable(name);
  if (!flow.ok()) co_return net::problem_response(flow.error());
  const WallTime now = parts_.clock.wall();
  auto left = co_await recovery::what_is_left(parts_.store, parts_.live, now, *flow);
  if (!left.ok()) co_return net::problem_response(left.error());
  recovery::Doer doer = doer_of(call, request->reason, request->break_glass);
  auto agreed = co_await parts_.replays.approvals().consent(
      recovery::wish_to_remove(parts_.live, name, *left, doer), doer, now);
  if (!agreed.ok()) co_return net::problem_response(agreed.error());
  auto done = co_await parts_.engine.remove({.name = name,
                                             .flow = *flow,
                                             .reason = std::move(request->reason),
                                             .actor = call.actor,
                                             .left = recovery::to_text(*left),
                                             .consent = *std::move(agreed)});
  parts_.replays.flow_removed();
  if (!done.ok()) co_return net::problem_response(done.error());
  wire::JsonWriter json;
  json.begin_object().field("flow", call.param("flow")).field("removed", true).end_object();
  co_return json_answer(std::move(json).take());
}

}  // namespace weir::api
