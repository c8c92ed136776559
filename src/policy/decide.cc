// SPDX-License-Identifier: Apache-2.0
#include "policy/decide.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/seeded_bug.h"
#include "policy/backoff.h"
#include "policy/classify.h"
#include "policy/deadline.h"
#include "policy/effect_weight.h"
#include "policy/server_hint.h"

namespace weir::policy {
namespace {

using Override = Classification::Override;

// Whoever reads the reason learns that the server's hint was not taken as it came.
std::string with_note(std::string reason, std::string_view note) {
  if (!note.empty()) reason.append("; ").append(note);
  return reason;
}

Decision basic(DecisionKind kind, const DecideInput& input) {
  Decision decision;
  decision.kind = kind;
  decision.failure = input.failure.failure;
  decision.rule = rule_name(input.failure);
  decision.reason = with_note(input.failure.reason, input.failure.hint_note);
  decision.failure_mode = input.failure.failure_mode;
  return decision;
}

Decision give_up(const DecideInput& input) {
  const bool pause = input.on_failure == OnFailure::pauseFlow ||
                     input.failure.mode_action == ModeAction::pauseFlow;
  Decision decision = basic(pause ? DecisionKind::pauseFlow : DecisionKind::quarantine, input);
  // However idempotent the handler is, its effect is not.
  decision.in_doubt = input.failure.in_doubt &&
                      (!input.idempotent || input.failure.rule == kRuleEffectInDoubt);
  return decision;
}

Decision give_up(const DecideInput& input, std::string_view rule, std::string reason) {
  Decision decision = give_up(input);
  decision.rule = rule;
  decision.reason = std::move(reason);
  return decision;
}

Decision done(const DecideInput& input) {
  if (!input.failure.reason.empty()) return basic(DecisionKind::done, input);
  return Decision{};
}

Decision after_our_own_cancel(const DecideInput& input) {
  if (input.failure.in_doubt && !input.idempotent) return give_up(input);
  Decision decision = basic(DecisionKind::defer, input);
  decision.at = input.now;
  return decision;
}

// A dependency that is out of capacity is given more time from the first retry on.
BackOffSpec back_off_after(const RetrySpec& spec, FailureClass failure) {
  BackOffSpec back_off = spec.back_off;
  const bool out_of_capacity = failure == FailureClass::throttled ||
                               failure == FailureClass::overloaded;
  if (out_of_capacity)
    back_off.base_interval = std::max(back_off.base_interval, spec.throttled_base_interval);
  return back_off;
}

std::optional<Duration> server_minimum(const RetrySpec& spec, const Classification& failure) {
  if (!spec.honor_server || !failure.retry_after || WEIR_SEEDED_BUG("decide.retry_after_ignored"))
    return {};
  return std::min(*failure.retry_after, spec.server_directed_max);
}

// What the server asks for, and what its failure mode does.
std::optional<Duration> minimum_of(const RetrySpec& spec, const Classification& failure) {
  const auto server = server_minimum(spec, failure);
  if (failure.mode_action != ModeAction::retryLater) return server;
  return std::max(failure.mode_delay, server.value_or(Duration{}));
}

std::string hint_note(const RetrySpec& spec, const Classification& failure) {
  const auto minimum = server_minimum(spec, failure);
  if (!minimum || *minimum == *failure.retry_after) return failure.hint_note;
  const std::string cut = fmt::format("cut to {} by retry.serverDirected.maxInterval",
                                      whole_units(*minimum));
  if (!failure.hint_note.empty()) return fmt::format("{}, then {}", failure.hint_note, cut);
  return fmt::format("the server's {} {}", whole_units(*failure.retry_after), cut);
}

Decision retry(const DecideInput& input, Rng& rng) {
  const RetrySpec& spec = input.policy.retry;
  const std::uint32_t attempt = input.delivery.attempts_this_round;
  const std::uint32_t by_replay = input.delivery.terms.attempts;
  const std::uint32_t max_attempts = by_replay > 0 ? by_replay : std::max(spec.max_attempts, 1u);
  std::string reason = fmt::format("attempt {} of {} failed: {}", attempt, max_attempts,
                                   input.failure.reason);
  reason = with_note(std::move(reason), hint_note(spec, input.failure));
  if (attempt >= max_attempts + WEIR_SEEDED_BUG("decide.one_attempt_more"))
    return give_up(input, by_replay > 0 ? "replay.attempts" : "retry.maxAttempts",
                   std::move(reason));

  const Duration delay = retry_delay(back_off_after(spec, input.failure.failure), attempt,
                                     input.previous_delay, minimum_of(spec, input.failure), rng);
  const WallTime at = input.now + delay;
  const WallTime deadline = input.delivery.deadline;
  if (is_expired(deadline, at)) {
    Decision decision = give_up(
        input, "timeouts.event",
        fmt::format("the next try at {} would start after the deadline {}; {}", to_clock_text(at),
                    to_clock_text(deadline), reason));
    decision.failure = FailureClass::expired;
    return decision;
  }
  Decision decision = basic(DecisionKind::retryAt, input);
  decision.reason = std::move(reason);
  decision.at = at;
  return decision;
}

// Not before the guardrail asked for, and not so soon that the handler is called in vain again and
// again.
Decision after_our_own_refusal(const DecideInput& input, Rng& rng) {
  const Duration asked = input.failure.retry_after.value_or(Duration{});
  const Duration least = retry_delay(input.policy.retry.back_off, 1, {}, {}, rng);
  Decision decision = basic(DecisionKind::defer, input);
  decision.at = input.now + asked + std::max(least, input.policy.retry.back_off.base_interval / 2);
  if (!is_expired(input.delivery.deadline, decision.at)) return decision;
  decision = give_up(input, "timeouts.event",
                     fmt::format("the next try at {} would start after the deadline {}; {}",
                                 to_clock_text(decision.at), to_clock_text(input.delivery.deadline),
                                 input.failure.reason));
  decision.failure = FailureClass::expired;
  return decision;
}

}  // namespace

DelayRange retry_range(const DecideInput& input) {
  const RetrySpec& spec = input.policy.retry;
  return delay_range(back_off_after(spec, input.failure.failure),
                     input.delivery.attempts_this_round, input.previous_delay,
                     minimum_of(spec, input.failure));
}

Decision decide(const DecideInput& input, Rng& rng) {
  const Classification& failure = input.failure;
  if (failure.forced == Override::done) return basic(DecisionKind::done, input);
  if (failure.forced == Override::discard) return basic(DecisionKind::discard, input);
  if (failure.forced == Override::quarantine) return give_up(input);
  if (failure.failure == FailureClass::ok) return done(input);
  if (failure.rule == kRuleCancelledHere) return after_our_own_cancel(input);
  if (failure.rule == kRuleEffectRefused) return after_our_own_refusal(input, rng);
  switch (failure.mode_action) {
    case ModeAction::quarantine:
    case ModeAction::pauseFlow: return give_up(input);
    case ModeAction::discard: return basic(DecisionKind::discard, input);
    case ModeAction::retryLater:
    case ModeAction::none: break;
  }
  if (!failure.retryable) return give_up(input);
  if (failure.needs_idempotent && !input.idempotent && !WEIR_SEEDED_BUG("decide.unknown_retried")) {
    return give_up(input, "inDoubt",
                   with_note(fmt::format("{}; it may have been applied, and the flow says "
                                         "idempotent: false",
                                         failure.reason),
                             failure.hint_note));
  }
  return retry(input, rng);
}

Decision decide_interrupted(const FlowPolicy& policy, const Delivery& delivery, bool idempotent,
                            WallTime now) {
  Decision decision;
  decision.kind = DecisionKind::quarantine;
  decision.failure = FailureClass::interrupted;
  const std::uint32_t max = std::max(policy.retry.max_interruptions, 1u);
  if (!idempotent && !WEIR_SEEDED_BUG("decide.interrupted_repeated")) {
    decision.rule = "inDoubt";
    decision.reason =
        "a restart cut the attempt short; it may have been applied, and the flow says idempotent: "
        "false";
    decision.in_doubt = true;
    return decision;
  }
  if (delivery.interruptions >= max) {
    decision.rule = "retry.maxInterruptions";
    decision.reason = fmt::format("a restart cut it short {} of {} times", delivery.interruptions,
                                  max);
    return decision;
  }
  if (is_expired(delivery.deadline, now)) return decide_expired(delivery, now);
  decision.kind = DecisionKind::defer;
  decision.rule = "interrupted";
  decision.reason = fmt::format("a restart cut it short, {} of {} times", delivery.interruptions,
                                max);
  decision.at = now;
  return decision;
}

Decision decide_expired(const Delivery& delivery, WallTime now) {
  Decision decision;
  decision.kind = DecisionKind::quarantine;
  decision.failure = FailureClass::expired;
  decision.rule = "timeouts.event";
  decision.reason = fmt::format(
      "the deadline {} {} after {} attempt{}", to_rfc3339(delivery.deadline),
      is_expired(delivery.deadline, now) ? "passed" : "is too near for another try",
      delivery.attempts, delivery.attempts == 1 ? "" : "s");
  if (!delivery.reason.empty()) decision.reason += "; before that: " + delivery.reason;
  decision.failure_mode = delivery.failure_mode;
  return decision;
}

}  // namespace weir::policy
