// SPDX-License-Identifier: Apache-2.0
// What the effects of an attempt say about its outcome. Pure.
#pragma once

#include <string_view>

#include "model/decision.h"
#include "model/effect.h"

namespace weir::policy {

// The handler failed because our own guardrails refused its effects: no attempt.
inline constexpr std::string_view kRuleEffectRefused = "effect.refused";
// The handler failed, and one of its effects is in doubt and waits for a person.
inline constexpr std::string_view kRuleEffectInDoubt = "effect.inDoubt";
// The handler used one key for two different requests.
inline constexpr std::string_view kRuleEffectOtherBody = "effect.otherBody";

// A handler that succeeded, or said itself what is to happen, is believed. Its own doubt goes first
// where its flow is not idempotent.
Classification weigh_effects(Classification handler, const EffectReport& effects, bool idempotent);

}  // namespace weir::policy
