// SPDX-License-Identifier: Apache-2.0
#include "policy/effect_weight.h"

#include <fmt/format.h>

#include "policy/classify.h"

namespace weir::policy {
namespace {

Classification because(const Classification& handler, FailureClass failure, std::string_view rule,
                       std::string reason) {
  Classification result;
  result.failure = failure;
  result.rule = rule;
  result.reason = fmt::format("{} (the handler said: {})", reason, handler.reason);
  return result;
}

}  // namespace

Classification weigh_effects(Classification handler, const EffectReport& effects, bool idempotent) {
  const bool believed = handler.failure == FailureClass::ok ||
                        handler.forced != Classification::Override::none ||
                        handler.rule == kRuleCancelledHere;
  if (believed || (handler.in_doubt && !idempotent)) return handler;
  if (!effects.held.empty()) {
    Classification held = because(handler, FailureClass::ambiguous, kRuleEffectInDoubt,
                                  fmt::format("{} is in doubt", effects.held));
    held.in_doubt = true;
    return held;
  }
  if (!effects.other_body.empty()) {
    return because(
        handler, FailureClass::permanent, kRuleEffectOtherBody,
        fmt::format("the key of {} was used for another request before", effects.other_body));
  }
  if (effects.refused == 0 || effects.failed > 0) return handler;
  const std::string more = effects.refused == 1 ? std::string()
                                                : fmt::format(", and {} more", effects.refused - 1);
  Classification refused = because(handler, FailureClass::throttled, kRuleEffectRefused,
                                   effects.first_refusal + more);
  refused.retryable = true;
  refused.retry_after = effects.wait;
  return refused;
}

}  // namespace weir::policy
