// SPDX-License-Identifier: Apache-2.0
// Out of doubt: by asking the dependency, or by a person.
#include <fmt/format.h>

#include "effects/gateway.h"
#include "effects/gateway_call.h"
#include "policy/classify.h"
#include "policy/rate_headers.h"

namespace weir::effects {
namespace {

constexpr Duration kPatience = std::chrono::seconds{10};
// After a question that could not be asked.
constexpr Duration kAskAgain = std::chrono::seconds{5};
// Behind why an effect is in doubt: what came of the last question about it.
constexpr std::string_view kLastAsked = "; reconcile: ";

Error unknown(EffectId id) {
  return Error{Code::unknown_effect, fmt::format("there is no effect e{}", id.value),
               "`weir effect list` shows those that the ledger knows"};
}

Error not_in_doubt(const Effect& effect) {
  return Error{
      Code::wrong_state,
      fmt::format("effect e{} is {}, not in doubt", effect.id.value, to_text(effect.state)),
      "what is settled stays as it is"};
}

Error being_sent(EffectId id) {
  return Error{Code::conflict, fmt::format("effect e{} is being sent right now", id.value),
               "its answer may settle it: look again"};
}

// One that was sent and is not under way is in doubt, too: its result could not be written.
bool is_in_doubt(const Effect& effect) {
  return effect.state == EffectState::inDoubt || effect.state == EffectState::sent;
}

std::string own_headers(const DependencySpec& dependency) {
  std::string lines = "accept: application/json\r\n";
  for (const auto& [name, value] : dependency.headers)
    lines += fmt::format("{}: {}\r\n", name, value);
  return lines;
}

}  // namespace

async::Task<Gateway::Asked> Gateway::ask(Effect effect, MonoTime deadline) {
  const DependencySpec* found = wired_.dependency(effect.dependency);
  if (found == nullptr || found->policy.idempotency.reconcile.path.empty())
    co_return Asked{.detail = fmt::format("nobody says how {} is asked", effect.dependency)};
  const DependencySpec dependency = *found;
  const ReconcileSpec& rules = dependency.policy.idempotency.reconcile;
  const WallTime now = clock_.wall();
  // One from the future was sent before this process, and before the wall clock was set back.
  const Duration passed = effect.last_sent <= now ? now - effect.last_sent
                                                  : clock_.mono() - started_;
  if (passed < rules.after) {
    const Duration again = rules.after - passed;
    co_return Asked{.detail = fmt::format("it may still be under way; it is asked from {} on",
                                          to_clock_text(now + again)),
                    .again = again};
  }
  policy::Guardrails* guardrails = wired_.guardrails(dependency.name);
  policy::Permit permit;
  const auto refusal = guardrails == nullptr ? std::nullopt
                                             : guardrails->admit({.path = policy::kEffectsPath},
                                                                 clock_.mono(), permit);
  if (refusal) co_return Asked{.detail = refusal->reason, .again = kAskAgain};
  const std::string target = reconcile_target(rules, bare_key(effect.sent_key()));
  const std::string headers = own_headers(dependency);
  const Outcome outcome = co_await wired_.send({.dependency = dependency,
                                                .method = "GET",
                                                .target = target,
                                                .headers = headers,
                                                .body = {},
                                                .deadline = deadline});
  const Classification result = classify_effect(outcome, dependency.name, clock_.wall());
  if (policy::Guardrails* still = wired_.guardrails(dependency.name)) {
    // "There is none" is an answer.
    Classification counted = result;
    if (outcome.status == 404) counted = Classification{};
    still->record(permit, counted, outcome.latency, clock_.mono(), rng_,
                  policy::read_server_pace(outcome, result, clock_.wall()));
  }
  wired_.released(dependency.name);
  Asked asked{.asked = true};
  asked.verdict = judge_reconcile(rules, outcome, asked.detail);
  const bool later = outcome.fault != Fault::none || result.retryable;
  if (asked.verdict == Reconciled::unknown && later) asked.again = kAskAgain;
  co_return asked;
}

async::Task<> Gateway::note_asked(Effect effect, Asked asked) {
  if (!asked.asked || asked.verdict != Reconciled::unknown) co_return;
  std::string reason = effect.reason.substr(0, effect.reason.rfind(kLastAsked));
  reason.append(kLastAsked).append(asked.detail);
  if (reason == effect.reason) co_return;
  effect.reason = std::move(reason);
  (void)co_await put(std::move(effect));  // a remark: whoever asked is told in any case
}

async::Task<EffectReply> Gateway::ask_first(std::shared_ptr<Call> call) {
  const Asked asked = co_await ask(*call->known, call->deadline);
  co_await note_asked(*call->known, asked);
  if (asked.again > Duration::zero()) {
    co_return refuse(
        *call,
        Error{Code::effect_in_doubt,
              fmt::format("effect e{} is in doubt: {}", call->known->id.value, asked.detail),
              "fail the delivery: Weir calls again later, and counts no attempt"},
        fmt::format("it is in doubt, and {} {}: {}", call->dependency.name,
                    asked.asked ? "was asked first" : "is to be asked first", asked.detail),
        asked.again);
  }
  if (asked.verdict == Reconciled::unknown) co_return hold(*call, *call->known, asked.detail);
  const bool applied = asked.verdict == Reconciled::applied;
  auto settled = co_await settle_doubt(
      *call->known, applied ? EffectState::confirmed : EffectState::failedNoEffect, "weir",
      asked.detail, "effect.reconcile");
  if (!settled.ok()) co_return EffectReply{.error = settled.error()};
  call->known = *settled;
  co_return co_await once(call);
}

async::Task<Result<Effect>> Gateway::settle_doubt(Effect effect, EffectState as, std::string actor,
                                                  std::string reason, std::string_view action,
                                                  ports::Consent consent) {
  effect.state = as;
  effect.answer = {};  // what came back said something else
  effect.changed_at = clock_.wall();
  effect.reason = reason;
  effect.resolution = fmt::format("{}: {}", actor, reason);
  AuditEntry entry{
      .at = effect.changed_at,
      .actor = std::move(actor),
      .action = std::string(action),
      .target = fmt::format("e{}", effect.id.value),
      .reason = std::move(reason),
      .detail = fmt::format("{} {}: inDoubt -> {}", effect.method, effect.dependency, to_text(as))};
  auto written = co_await put(effect, std::move(entry), std::move(consent));
  if (!written.ok()) co_return std::move(written).error();
  if (!*written) {
    co_return Error{Code::conflict, fmt::format("effect e{} changed in between", effect.id.value),
                    fmt::format("`weir effect get e{}`", effect.id.value)};
  }
  ++effect.version;
  co_return effect;
}

Result<> Gateway::check_doubt(const Effect& effect) const {
  if (in_progress_.contains(effect.key)) return being_sent(effect.id);
  if (!is_in_doubt(effect)) return not_in_doubt(effect);
  return {};
}

async::Task<Result<Effect>> Gateway::in_doubt(EffectId id) {
  auto found = co_await store_.effects().find(id);
  if (!found.ok()) co_return std::move(found).error();
  if (!found->has_value()) co_return unknown(id);
  if (const auto fit = check_doubt(**found); !fit.ok()) co_return fit.error();
  co_return std::move(**found);
}

async::Task<Result<Effect>> Gateway::resolve(Effect effect, EffectState as, std::string actor,
                                             std::string reason, ports::Consent consent) {
  if (const auto fit = check_doubt(effect); !fit.ok()) co_return fit.error();
  co_return co_await settle_doubt(std::move(effect), as, std::move(actor), std::move(reason),
                                  "effect.resolve", std::move(consent));
}

async::Task<Result<Effect>> Gateway::reconcile(EffectId id, std::string actor, std::string reason) {
  auto found = co_await in_doubt(id);
  if (!found.ok()) co_return std::move(found).error();
  const Effect effect = *found;
  if (!in_progress_.try_emplace(effect.key, InProgress{effect.fingerprint, nullptr}).second)
    co_return being_sent(id);
  const Asked asked = co_await ask(effect, clock_.mono() + kPatience);
  co_await note_asked(effect, asked);
  in_progress_.erase(effect.key);
  if (asked.verdict == Reconciled::unknown) {
    co_return Error{Code::wrong_state,
                    fmt::format("effect e{} stays in doubt: {}", id.value, asked.detail),
                    "ask again, or look yourself and `weir effect resolve`"};
  }
  const bool applied = asked.verdict == Reconciled::applied;
  co_return co_await settle_doubt(
      effect, applied ? EffectState::confirmed : EffectState::failedNoEffect, std::move(actor),
      fmt::format("{} ({})", reason, asked.detail), "effect.reconcile");
}

}  // namespace weir::effects
