// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "api/answers.h"
#include "api/api.h"
#include "api/views.h"
#include "base/text.h"
#include "config/replay_plan_document.h"
#include "policy/approval.h"
#include "recovery/references.h"
#include "recovery/replay_plan.h"
#include "recovery/shown.h"

namespace weir::api {
namespace {

// The document of the body, whoever sends it; a reason beside it is for files that have none.
Result<ReplayPlan> plan_of(const Call& call, WallTime now) {
  config::PlanOutcome outcome = config::read_replay_plan(
      call.request.body.empty() ? "{}" : call.request.body, now);
  if (!outcome.plan) {
    std::string what;
    for (const config::Problem& problem : outcome.problems) {
      what += fmt::format("{}{}:{}:{}: {}", what.empty() ? "" : "; ", problem.place.file,
                          problem.place.line, problem.place.column, problem.message);
    }
    return Error{Code::plan_invalid, printable(what), outcome.problems.front().hint};
  }
  if (outcome.plan->reason.empty()) outcome.plan->reason = call.arg("reason");
  outcome.plan->actor = call.actor;
  outcome.plan->makers = {call.caller.subject};
  return std::move(*outcome.plan);
}

Result<ReplayId> replay_id(const Call& call) {
  if (const auto id = recovery::parse_replay_id(call.param("replay"))) return *id;
  return Error{Code::unknown_replay, fmt::format("'{}' is no replay id", call.param("replay")),
               "weir replay list"};
}

constexpr Duration kWaitMax = std::chrono::days{7};

struct Word {
  std::string reason;
  std::string hash;  // of the plan that was read
  Duration wait{};   // for the preconditions of what starts
  bool break_glass = false;
};

Result<Word> word_of(const Call& call, const ApprovalsSpec& approvals) {
  WEIR_TRY(const JsonBody body,
           JsonBody::parse(call.request.body, {"reason", "hash", "wait", "breakGlass"}));
  Word word;
  WEIR_TRY(word.reason, body.text("reason"));
  WEIR_TRY(word.hash, body.text("hash"));
  WEIR_TRY(word.break_glass, break_glass_in(body, call.caller, approvals));
  WEIR_TRY(const std::string wait, body.text("wait"));
  if (wait.empty()) return word;
  const auto duration = parse_duration(wait);
  if (!duration || *duration <= Duration::zero() || *duration > kWaitMax) {
    return Error{Code::invalid_argument, fmt::format("'{}' is no time to wait", printable(wait)),
                 "for example 30m or 24h, at most 7d"};
  }
  word.wait = *duration;
  if (!word.break_glass) return word;
  return Error{Code::invalid_argument, "the glass is broken for what is done now, not later",
               "leave out the time to wait"};
}

std::optional<ItemState> parse_item_state(std::string_view text) {
  for (const ItemState state :
       {ItemState::planned, ItemState::claimed, ItemState::succeeded, ItemState::failedAgain,
        ItemState::skipped, ItemState::inDoubt, ItemState::stale, ItemState::discarded}) {
    if (to_text(state) == text) return state;
  }
  return std::nullopt;
}

// Which one each of them sends.
async::Task<Result<std::map<DeliveryRef, std::uint32_t>>> revisions_of(
    ports::Store& store, const std::vector<ReplayItem>& items) {
  std::map<DeliveryRef, std::uint32_t> numbers;
  std::vector<DeliveryRef> refs;
  for (const ReplayItem& item : items) {
    numbers.emplace(item.ref, kFirstRevision);
    refs.push_back(item.ref);
  }
  auto edited = co_await store.deliveries().newest_revisions(std::move(refs));
  if (!edited.ok()) co_return edited.error();
  for (const Revision& newest : *edited) numbers[newest.ref] = newest.number;
  co_return numbers;
}

}  // namespace

Api::Answer Api::list_replays(Call) {
  auto replays = co_await parts_.replays.list();
  if (!replays.ok()) co_return net::problem_response(replays.error());
  wire::JsonWriter json;
  json.begin_object().key("replays").begin_array();
  for (const Replay& replay : *replays) write_replay(json, parts_.live, replay);
  json.end_array().end_object();
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::plan_replay(Call call) {
  auto plan = plan_of(call, parts_.clock.wall());
  if (!plan.ok()) co_return net::problem_response(plan.error());
  if (call.arg("dryRun") == "true") co_return co_await dry_run(std::move(*plan));
  auto replay = co_await parts_.replays.plan(std::move(*plan));
  if (!replay.ok()) co_return net::problem_response(replay.error());
  ReplayNow now;
  auto wish = co_await parts_.replays.wish(replay->id);
  if (wish.ok()) now.needs_approval = wish->why;  // the plan is there, whatever became of this
  wire::JsonWriter json;
  write_replay(json, parts_.live, *replay, now);
  co_return json_answer(std::move(json).take(), 201);
}

Api::Answer Api::dry_run(ReplayPlan plan) {
  if (!plan.selection.group.empty()) {  // the hash is that of the plan that would be stored
    auto group = co_await recovery::find_group(parts_.store, plan.selection.group);
    if (!group.ok()) co_return net::problem_response(group.error());
    plan.selection.group = group->fingerprint.hash;
  }
  auto key = recovery::key_as_stored(parts_.live, plan.selection);
  if (!key.ok()) co_return net::problem_response(key.error());
  // As it was typed: the tag of a guess is an answer, too.
  auto forecast = co_await parts_.replays.dry_run(plan);
  if (!forecast.ok()) co_return net::problem_response(forecast.error());
  plan.selection.key = std::move(*key);
  recovery::leave_out_default_canary(plan, forecast->deliveries);
  recovery::note_edits(plan, forecast->edits);
  Replay replay{.plan = std::move(plan), .state = ReplayState::planning};
  replay.counts.planned = forecast->deliveries;
  replay.checked = forecast->preconditions;
  const ReplayNow now{.needs_approval = policy::why_plan_needs_approval(
                          parts_.engine.config().approvals,
                          {.deliveries = forecast->deliveries,
                           .in_doubt = forecast->in_doubt + forecast->effects.in_doubt() > 0,
                           .delivered = replay.plan.selection.delivered,
                           .edited = replay.plan.edited})};
  wire::JsonWriter json;
  json.begin_object().field("dryRun", true).key("would");
  write_replay(json, parts_.live, replay, now);
  json.key("forecast");
  write_forecast(json, *forecast);
  json.end_object();
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::edit_replay(Call call) {
  auto id = replay_id(call);
  if (!id.ok()) co_return net::problem_response(id.error());
  auto plan = plan_of(call, parts_.clock.wall());
  if (!plan.ok()) co_return net::problem_response(plan.error());
  auto replay = co_await parts_.replays.edit(*id, std::move(*plan));
  if (!replay.ok()) co_return net::problem_response(replay.error());
  wire::JsonWriter json;
  write_replay(json, parts_.live, *replay);
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::replay(Call call) {
  auto id = replay_id(call);
  if (!id.ok()) co_return net::problem_response(id.error());
  auto replay = co_await parts_.replays.get(*id);
  if (!replay.ok()) co_return net::problem_response(replay.error());
  wire::JsonWriter json;
  ReplayNow now{.stops = parts_.replays.stop_readings(*id),
                .time_left = parts_.replays.time_left(*id),
                .rate = parts_.replays.rate(*replay)};
  if (call.arg("joined") == "true") {
    auto joined = co_await parts_.replays.joined_since(*id);
    if (!joined.ok()) co_return net::problem_response(joined.error());
    now.joined = *joined;
  }
  // What runs has its yes; to look for doubt in all of it with each look would cost too much.
  if (!is_over(replay->state) && !is_running(replay->state)) {
    auto wish = co_await parts_.replays.wish(*id);
    if (!wish.ok()) co_return net::problem_response(wish.error());
    now.needs_approval = wish->why;
    auto newest = co_await parts_.replays.approvals().newest(wish->act);
    if (!newest.ok()) co_return net::problem_response(newest.error());
    now.approval = *std::move(newest);
    if (now.approval) now.approval_state = now.approval->state(parts_.clock.wall());
  }
  write_replay(json, parts_.live, *replay, now);
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
              "planned, claimed, succeeded, failedAgain, discarded, skipped, inDoubt or stale"});
  }
  auto known = co_await parts_.replays.get(*id);
  if (!known.ok()) co_return net::problem_response(known.error());
  auto items = co_await parts_.store.recovery().items(*id, state, *after, *limit);
  if (!items.ok()) co_return net::problem_response(items.error());
  auto revisions = co_await revisions_of(parts_.store, *items);
  if (!revisions.ok()) co_return net::problem_response(revisions.error());
  wire::JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const ReplayItem& item : *items) {
    json.begin_object().field("ref", recovery::to_reference(parts_.live, item.ref.position));
    json.field("flow", flow_name(parts_.live, item.ref.flow))
        .field("state", to_text(item.state))
        .field("revision", revisions->at(item.ref))
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
  auto word = word_of(call, parts_.engine.config().approvals);
  if (!word.ok()) co_return net::problem_response(word.error());
  auto replay = co_await parts_.replays.command(
      *id, wanted, doer_of(call, word->reason, word->break_glass), word->hash, word->wait);
  if (!replay.ok()) co_return net::problem_response(replay.error());
  wire::JsonWriter json;
  write_replay(json, parts_.live, *replay);
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
Api::Answer Api::slow_replay(Call call) {
  auto id = replay_id(call);
  if (!id.ok()) co_return net::problem_response(id.error());
  auto reason = reason_in(call.request.body);
  if (!reason.ok()) co_return net::problem_response(reason.error());
  auto replay = co_await parts_.replays.slow(*id, *reason, call.actor);
  if (!replay.ok()) co_return net::problem_response(replay.error());
  wire::JsonWriter json;
  write_replay(json, parts_.live, *replay);
  co_return json_answer(std::move(json).take());
}
Api::Answer Api::abort_replay(Call call) {
  co_return co_await command_replay(std::move(call), ReplayState::aborted);
}

}  // namespace weir::api
