// SPDX-License-Identifier: Apache-2.0
#include "api/answers.h"
#include "api/api.h"
#include "api/views.h"
#include "recovery/references.h"
#include "recovery/replay_estimate.h"

namespace weir::api {
namespace {

struct PlanRequest {
  ReplayPlan plan;
  bool dry_run = false;
};

template <class T>
Result<> take_number(const JsonBody& body, std::string_view name, double least, double most,
                     T& into) {
  WEIR_TRY(const auto number, body.number(name));
  if (!number) return {};
  if (!(*number >= least) || !(*number <= most)) {
    return Error{Code::invalid_argument,
                 fmt::format("'{}' must be from {} to {}", name, least, most), ""};
  }
  into = static_cast<T>(*number);
  return {};
}

Result<PlanRequest> plan_request(const Call& call, WallTime now) {
  std::vector<std::string> known = selection_members();
  known.insert(known.end(), {"ratePerSecond", "maxPerSecond", "rampFactor", "step", "concurrency",
                             "canary", "canaryHold", "failureSharePercent", "stopOnBreakerOpen",
                             "sameFingerprint", "reason", "dryRun"});
  WEIR_TRY(const JsonBody body, JsonBody::parse(call.request.body, known));
  PlanRequest request;
  ReplayPlan& plan = request.plan;
  WEIR_TRY(plan.selection, selection_of(body, now));
  WEIR_CHECK(take_number(body, "ratePerSecond", 0.01, 100'000, plan.rate.start_per_second));
  plan.rate.max_per_second = std::max(plan.rate.max_per_second, plan.rate.start_per_second);
  WEIR_CHECK(take_number(body, "maxPerSecond", 0.01, 100'000, plan.rate.max_per_second));
  WEIR_CHECK(take_number(body, "rampFactor", 1, 100, plan.rate.ramp_factor));
  WEIR_CHECK(take_number(body, "concurrency", 1, 10'000, plan.rate.concurrency));
  WEIR_CHECK(take_number(body, "canary", 0, 100'000, plan.canary.count));
  WEIR_CHECK(take_number(body, "failureSharePercent", 0, 100, plan.stop.failure_share_percent));
  WEIR_CHECK(take_number(body, "sameFingerprint", 0, 1'000'000, plan.stop.same_fingerprint));
  WEIR_TRY(const auto step, body.duration("step"));
  plan.rate.step = step.value_or(plan.rate.step);
  WEIR_TRY(const auto hold, body.duration("canaryHold"));
  plan.canary.hold = hold.value_or(plan.canary.hold);
  if (body.find("stopOnBreakerOpen")) {
    WEIR_TRY(plan.stop.on_breaker_open, body.flag("stopOnBreakerOpen"));
  }
  WEIR_TRY(plan.reason, body.text("reason"));
  WEIR_TRY(request.dry_run, body.flag("dryRun"));
  plan.actor = call.actor;
  return request;
}

Result<ReplayId> replay_id(const Call& call) {
  if (const auto id = recovery::parse_replay_id(call.param("replay"))) return *id;
  return Error{Code::unknown_replay, fmt::format("'{}' is no replay id", call.param("replay")),
               "weir replay list"};
}

std::optional<ItemState> parse_item_state(std::string_view text) {
  for (const ItemState state : {ItemState::planned, ItemState::claimed, ItemState::succeeded,
                                ItemState::failedAgain, ItemState::skipped, ItemState::inDoubt}) {
    if (to_text(state) == text) return state;
  }
  return std::nullopt;
}

}  // namespace

Api::Answer Api::list_replays(Call) {
  auto replays = co_await parts_.replays.list();
  if (!replays.ok()) co_return net::problem_response(replays.error());
  wire::JsonWriter json;
  json.begin_object().key("replays").begin_array();
  for (const Replay& replay : *replays) write_replay(json, replay);
  json.end_array().end_object();
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::plan_replay(Call call) {
  auto request = plan_request(call, parts_.clock.wall());
  if (!request.ok()) co_return net::problem_response(request.error());
  if (!request->dry_run) {
    auto replay = co_await parts_.replays.plan(std::move(request->plan));
    if (!replay.ok()) co_return net::problem_response(replay.error());
    wire::JsonWriter json;
    write_replay(json, *replay);
    co_return json_answer(std::move(json).take(), 201);
  }
  auto count = co_await parts_.replays.count(request->plan);
  if (!count.ok()) co_return net::problem_response(count.error());
  if (*count <= kCanaryAbove && request->plan.canary == Canary{}) request->plan.canary.count = 0;
  Replay replay{.plan = std::move(request->plan), .state = ReplayState::planning};
  replay.counts.planned = *count;
  wire::JsonWriter json;
  json.begin_object().field("dryRun", true).key("would");
  write_replay(json, replay);
  json.end_object();
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::replay(Call call) {
  auto id = replay_id(call);
  if (!id.ok()) co_return net::problem_response(id.error());
  auto replay = co_await parts_.replays.get(*id);
  if (!replay.ok()) co_return net::problem_response(replay.error());
  wire::JsonWriter json;
  write_replay(json, *replay);
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::replay_items(Call call) {
  auto id = replay_id(call);
  if (!id.ok()) co_return net::problem_response(id.error());
  auto limit = page_size(call.arg("limit"), 100, 1000);
  if (!limit.ok()) co_return net::problem_response(limit.error());
  auto after = parse_cursor(call.arg("cursor"));
  if (!after.ok()) co_return net::problem_response(after.error());
  const auto state = parse_item_state(call.arg("state"));
  if (!call.arg("state").empty() && !state) {
    co_return net::problem_response(
        Error{Code::invalid_argument, "unknown item state",
              "planned, claimed, succeeded, failedAgain, skipped or inDoubt"});
  }
  auto known = co_await parts_.replays.get(*id);
  if (!known.ok()) co_return net::problem_response(known.error());
  auto items = co_await parts_.store.recovery().items(*id, state, *after, *limit);
  if (!items.ok()) co_return net::problem_response(items.error());
  wire::JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const ReplayItem& item : *items) {
    json.begin_object().field("ref", recovery::to_reference(parts_.live, item.ref.position));
    json.field("flow", flow_name(parts_.live, item.ref.flow))
        .field("state", to_text(item.state))
        .end_object();
  }
  json.end_array();
  if (items->size() == *limit) json.field("cursor", to_cursor(items->back().ref));
  json.end_object();
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::command_replay(Call call, ReplayState wanted) {
  auto id = replay_id(call);
  if (!id.ok()) co_return net::problem_response(id.error());
  auto reason = reason_in(call.request.body);
  if (!reason.ok()) co_return net::problem_response(reason.error());
  auto replay = co_await parts_.replays.command(*id, wanted, *reason, call.actor);
  if (!replay.ok()) co_return net::problem_response(replay.error());
  wire::JsonWriter json;
  write_replay(json, *replay);
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::run_replay(Call call) {
  co_return co_await command_replay(std::move(call), ReplayState::running);
}
Api::Answer Api::pause_replay(Call call) {
  co_return co_await command_replay(std::move(call), ReplayState::paused);
}
Api::Answer Api::resume_replay(Call call) {
  co_return co_await command_replay(std::move(call), ReplayState::running);
}
Api::Answer Api::abort_replay(Call call) {
  co_return co_await command_replay(std::move(call), ReplayState::aborted);
}

}  // namespace weir::api
