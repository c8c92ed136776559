// SPDX-License-Identifier: Apache-2.0
// What to do with a delivery after an attempt, an interruption, or when its deadline passed. Pure.
#pragma once

#include "base/rng.h"
#include "base/time.h"
#include "model/config_model.h"
#include "model/decision.h"
#include "model/delivery.h"
#include "model/policy_spec.h"
#include "policy/backoff.h"

namespace weir::policy {

struct DecideInput {
  const FlowPolicy& policy;
  const Delivery& delivery;  // attempts_this_round already counts the attempt just made; deadline
  bool idempotent = true;
  OnFailure on_failure = OnFailure::parkKey;
  const Classification& failure;
  WallTime now;
  Duration previous_delay{};  // for decorrelated jitter; zero = none
};

// done, retryAt, quarantine, discard, pauseFlow, or defer.
// - pauseFlow is quarantine under onFailure: pauseFlow: quarantine the delivery and pause the flow
// as well.
// - defer only for an attempt that we cancelled ourselves and that may be repeated, and for one
// that failed because our guardrails refused its effects: no attempt counted, again at `at`.
// - In doubt without idempotency is quarantine at once, in doubt.
// - A retry that would start at or after the deadline is quarantine now, as expired.
// - auth and config are quarantine without a retry: nothing would refresh credentials or fix a name
// in between. Rule and reason are empty for an ordinary `done`, so the happy path does not
// allocate.
Decision decide(const DecideInput& input, Rng& rng);

// The delays among which decide() draws when it says retryAt, whatever else it might say.
DelayRange retry_range(const DecideInput& input);

// An attempt cut short by our own crash or restart; delivery.interruptions already counts it.
// defer (back to ready, at = now), or quarantine: in doubt if not idempotent; class interrupted
// when interruptions >= max_interruptions; class expired when the deadline has passed.
Decision decide_interrupted(const FlowPolicy& policy, const Delivery& delivery, bool idempotent,
                            WallTime now);

// The deadline passed (or leaves no useful time) before the next attempt: quarantine, class
// expired.
Decision decide_expired(const Delivery& delivery, WallTime now);

}  // namespace weir::policy
