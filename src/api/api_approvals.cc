// SPDX-License-Identifier: Apache-2.0
// Four eyes: what waits for the yes of another person, and that yes.
#include <algorithm>

#include "api/answers.h"
#include "api/api.h"
#include "api/views.h"
#include "base/text.h"
#include "config/replay_plan_document.h"
#include "recovery/references.h"

namespace weir::api {
namespace {

// What the approver came with, to be asked for again later.
recovery::Grant grant_of(const Call& call, std::string reason, std::string hash) {
  return {.actor = call.actor,
          .subject = call.caller.subject,
          .with = call.caller.token ? to_text(call.caller.token) : call.caller.certificate,
          .reason = std::move(reason),
          .hash = std::move(hash)};
}

struct Yes {
  std::string reason;
  std::string hash;
};

Result<Yes> yes_of(const Call& call) {
  WEIR_TRY(const JsonBody body, JsonBody::parse(call.request.body, {"reason", "hash"}));
  Yes yes;
  WEIR_TRY(yes.reason, body.text("reason"));
  WEIR_TRY(yes.hash, body.text("hash"));
  if (!yes.hash.empty()) return yes;
  return Error{Code::invalid_argument, "a yes without 'hash' could be to anything",
               "\"hash\": that of what was read, as GET of the replay or the approvals shows it"};
}

bool is_state(std::string_view text) {
  using enum ApprovalState;
  const auto states = {pending, granted, used, expired, voided};
  return std::ranges::any_of(states, [&](ApprovalState one) { return to_text(one) == text; });
}

Error unknown_approval(std::string_view text) {
  return {Code::unknown_approval, fmt::format("'{}' is no approval", printable(text)),
          "approvals are called a1, a2, ...: `weir approval list`"};
}

net::HttpResponse approval_answer(Result<Approval> approval, WallTime now) {
  if (!approval.ok()) return net::problem_response(approval.error());
  wire::JsonWriter json;
  write_approval(json, *approval, now);
  return json_answer(std::move(json).take());
}

}  // namespace

void write_approval(wire::JsonWriter& json, const Approval& approval, WallTime now) {
  json.begin_object().field("approval", to_text(approval.id));
  json.field("state", to_text(approval.state(now))).field("act", to_text(approval.act));
  json.field("target", approval.target).field("hash", approval.hash);
  json.field("what", approval.what).field("why", approval.why);
  if (!approval.selection.empty()) {
    json.key("selection");
    config::write_selection(json, approval.selection);
  }
  json.key("references").begin_array();
  for (const std::string& reference : approval.references) json.value(reference);
  json.end_array().field("asker", approval.asker);
  json.key("makers").begin_array();
  for (const std::string& maker : approval.makers) json.value(maker);
  json.end_array().field("reason", approval.reason).field("breakGlass", approval.break_glass);
  time_field(json, "requestedAt", approval.requested);
  time_field(json, "expiresAt", approval.expires);
  if (!approval.approver.empty()) {
    json.field("approver", approval.approver).field("with", approval.with);
    json.field("approverReason", approval.said);
  }
  time_field(json, "grantedAt", approval.granted);
  time_field(json, "usedAt", approval.used);
  time_field(json, "voidedAt", approval.voided);
  json.end_object();
}

recovery::Doer doer_of(const Call& call, std::string reason, bool break_glass) {
  return {.actor = call.actor,
          .subject = call.caller.subject,
          .reason = std::move(reason),
          .break_glass = break_glass};
}

Result<bool> break_glass_in(const JsonBody& body, const Caller& caller, const ApprovalsSpec& spec) {
  WEIR_TRY(const bool asked, body.flag("breakGlass"));
  if (!asked) return false;
  if (caller.roles.meets(spec.break_glass)) return true;
  const std::string who = to_text(spec.break_glass);
  return Error{Code::break_glass_refused,
               fmt::format("{} may not act without an approval", caller.actor),
               who.empty() ? "approvals.breakGlass names nobody who may"
                           : fmt::format("the configuration lets {}", who)};
}

Api::Answer Api::approvals(Call call) {
  const WallTime now = parts_.clock.wall();
  const std::string_view state = call.arg("state");
  if (!state.empty() && !is_state(state)) {
    co_return net::problem_response(Error{Code::invalid_argument,
                                          fmt::format("'{}' is no state", printable(state)),
                                          "pending, granted, used, expired or voided"});
  }
  auto all = co_await parts_.replays.approvals().list();
  if (!all.ok()) co_return net::problem_response(all.error());
  std::ranges::reverse(*all);
  wire::JsonWriter json;
  json.begin_object().key("approvals").begin_array();
  for (const Approval& one : *all) {
    if (state.empty() || state == to_text(one.state(now))) write_approval(json, one, now);
  }
  json.end_array().end_object();
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::grant_approval(Call call) {
  const auto id = parse_approval_id(call.param("approval"));
  if (!id) co_return net::problem_response(unknown_approval(call.param("approval")));
  auto yes = yes_of(call);
  if (!yes.ok()) co_return net::problem_response(yes.error());
  const WallTime now = parts_.clock.wall();
  co_return approval_answer(
      co_await parts_.replays.approvals().grant(*id, grant_of(call, yes->reason, yes->hash), now),
      now);
}

Api::Answer Api::void_approval(Call call) {
  const auto id = parse_approval_id(call.param("approval"));
  if (!id) co_return net::problem_response(unknown_approval(call.param("approval")));
  auto reason = required_reason(call);
  if (!reason.ok()) co_return net::problem_response(reason.error());
  const WallTime now = parts_.clock.wall();
  co_return approval_answer(
      co_await parts_.replays.approvals().make_void(*id, doer_of(call, *std::move(reason)), now),
      now);
}

// A yes to a plan before anybody tried to run it.
Api::Answer Api::approve_replay(Call call) {
  const auto id = recovery::parse_replay_id(call.param("replay"));
  if (!id) {
    co_return net::problem_response(Error{
        Code::unknown_replay, fmt::format("'{}' is no replay id", printable(call.param("replay"))),
        "weir replay list"});
  }
  auto yes = yes_of(call);
  if (!yes.ok()) co_return net::problem_response(yes.error());
  auto granted = co_await parts_.replays.approve(*id, grant_of(call, yes->reason, yes->hash));
  co_return approval_answer(std::move(granted), parts_.clock.wall());
}

}  // namespace weir::api
