// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "api/answers.h"
#include "api/api.h"
#include "api/views.h"
#include "base/text.h"
#include "policy/access.h"
#include "policy/approval.h"
#include "recovery/references.h"
#include "wire/digest.h"

namespace weir::api {
namespace {

Result<EffectId> effect_id(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('e')) digits.remove_prefix(1);
  EffectId id;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id.value);
  if (error == std::errc{} && end == digits.data() + digits.size() && id) return id;
  return Error{Code::unknown_effect, fmt::format("'{}' is no effect", printable(text)),
               "effects are called e1, e2, ...: `weir effect list`"};
}

Result<std::optional<EffectState>> state_argument(std::string_view text) {
  if (text.empty()) return std::optional<EffectState>();
  const auto state = parse_effect_state(text);
  if (state) return state;
  return Error{
      Code::invalid_argument, fmt::format("'{}' is no state of an effect", printable(text)),
      did_you_mean(text,
                   std::vector<std::string>{"sent", "confirmed", "failedNoEffect", "inDoubt"})};
}

Result<ports::EffectQuery> query_of(const Call& call, const recovery::Live& live) {
  ports::EffectQuery query;
  WEIR_TRY(query.limit, page_size(call.arg("limit"), 100, 1000));
  WEIR_TRY(query.state, state_argument(call.arg("state")));
  query.dependency = call.arg("dependency");
  if (!call.arg("cursor").empty()) {
    WEIR_TRY(query.before, effect_id(call.arg("cursor")));
  }
  const std::string_view flow = call.arg("flow");
  if (flow.empty()) return query;
  std::vector<std::string> names;
  for (const recovery::LiveFlow& one : live.flows()) {
    if (one.record.name == flow) query.flow = one.record.id;
    names.push_back(one.record.name);
  }
  if (query.flow) return query;
  return unknown_flow(flow, names);
}

struct EffectWord {
  EffectState as = EffectState::confirmed;
  std::string reason;
  bool break_glass = false;
};

Result<EffectWord> word_on_effect(const Call& call, const ApprovalsSpec& approvals) {
  WEIR_TRY(const JsonBody body, JsonBody::parse(call.request.body, {"as", "reason", "breakGlass"}));
  WEIR_TRY(const std::string as, body.text("as"));
  EffectWord word;
  WEIR_TRY(word.reason, body.text("reason"));
  const auto state = parse_effect_state(as);
  if (state != EffectState::confirmed && state != EffectState::failedNoEffect) {
    return Error{Code::invalid_argument, fmt::format("'{}' settles no doubt", printable(as)),
                 "say confirmed (it happened) or failedNoEffect (it did not)"};
  }
  word.as = *state;
  if (word.reason.empty()) {
    return Error{Code::reason_required, "how do you know? no reason is given", "add --reason TEXT"};
  }
  WEIR_TRY(word.break_glass, break_glass_in(body, call.caller, approvals));
  return word;
}

// Who can have the event shown, redacted or not, in an audited act.
bool may_reveal(const Caller& caller) {
  return policy::may(caller.roles, policy::Need::operate) && caller.scope.is_all();
}

// Of this entry as it is now, with this word and this reason.
recovery::Wish wish_to_resolve(const Effect& effect, EffectState as, const recovery::Doer& doer) {
  const std::string id = fmt::format("e{}", effect.id.value);
  const std::string act = fmt::format("effect {} {} {} {}", id, effect.version, to_text(as),
                                      doer.reason);
  return {.act = {.act = ApprovalAct::effect,
                  .target = id,
                  .hash = wire::sha256_hex(act),
                  .makers = {doer.subject}},
          .what = fmt::format("effect {} as {}", id, to_text(as))};
}

}  // namespace

// The ledger remembers those that have left the configuration.
async::Task<Result<>> Api::check_dependency(std::string name) {
  std::vector<std::string> names;
  for (const DependencySpec& one : parts_.engine.config().dependencies) names.push_back(one.name);
  if (name.empty() || std::ranges::find(names, name) != names.end()) co_return Result<>{};
  auto past = co_await parts_.store.effects().list({.dependency = name, .limit = 1});
  if (!past.ok()) co_return past.error();
  if (!past->empty()) co_return Result<>{};
  co_return Error{Code::unknown_dependency, fmt::format("unknown dependency '{}'", printable(name)),
                  did_you_mean(name, names)};
}

Api::Answer Api::effects(Call call) {
  auto query = query_of(call, parts_.live);
  if (!query.ok()) co_return net::problem_response(query.error());
  auto found = co_await parts_.store.effects().list(*query);
  if (!found.ok()) co_return net::problem_response(found.error());
  if (found->empty()) {
    if (const auto known = co_await check_dependency(query->dependency); !known.ok())
      co_return net::problem_response(known.error());
  }
  wire::JsonWriter json;
  json.begin_object().key("effects").begin_array();
  for (const Effect& effect : *found)
    write_effect(json, parts_.live, effect, may_reveal(call.caller));
  json.end_array();
  if (found->size() == query->limit)
    json.field("cursor", fmt::format("e{}", found->back().id.value));
  json.end_object();
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::answer_with(Caller caller, Result<Effect> effect) {
  if (!effect.ok()) co_return net::problem_response(effect.error());
  wire::JsonWriter json;
  write_effect(json, parts_.live, *effect, may_reveal(caller));
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::effect(Call call) {
  auto id = effect_id(call.param("effect"));
  if (!id.ok()) co_return net::problem_response(id.error());
  auto found = co_await parts_.store.effects().find(*id);
  if (!found.ok()) co_return net::problem_response(found.error());
  if (!found->has_value()) {
    co_return net::problem_response(Error{Code::unknown_effect,
                                          fmt::format("there is no effect e{}", id->value),
                                          "`weir effect list` shows those that the ledger knows"});
  }
  co_return co_await answer_with(call.caller, std::move(**found));
}

Api::Answer Api::resolve_effect(Call call) {
  auto id = effect_id(call.param("effect"));
  if (!id.ok()) co_return net::problem_response(id.error());
  const ApprovalsSpec approvals = parts_.engine.config().approvals;
  auto said = word_on_effect(call, approvals);
  if (!said.ok()) co_return net::problem_response(said.error());
  // Whatever becomes of it from here on: the yes, and the word, are about this version.
  auto found = co_await parts_.gateway.in_doubt(*id);
  if (!found.ok()) co_return net::problem_response(found.error());
  recovery::Doer doer = doer_of(call, said->reason, said->break_glass);
  recovery::Wish wish = wish_to_resolve(*found, said->as, doer);
  wish.why = policy::why_effect_needs_approval(approvals);
  auto agreed = co_await parts_.replays.approvals().consent(std::move(wish), std::move(doer),
                                                            parts_.clock.wall());
  if (!agreed.ok()) co_return net::problem_response(agreed.error());
  auto settled = co_await parts_.gateway.resolve(*std::move(found), said->as, call.actor,
                                                 said->reason, *std::move(agreed));
  co_return co_await answer_with(call.caller, std::move(settled));
}

Api::Answer Api::reconcile_effect(Call call) {
  auto id = effect_id(call.param("effect"));
  if (!id.ok()) co_return net::problem_response(id.error());
  auto reason = reason_in(call.request.body);
  if (!reason.ok()) co_return net::problem_response(reason.error());
  auto settled = co_await parts_.gateway.reconcile(*id, call.actor, *reason);
  co_return co_await answer_with(call.caller, std::move(settled));
}

}  // namespace weir::api
