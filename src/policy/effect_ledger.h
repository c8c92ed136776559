// SPDX-License-Identifier: Apache-2.0
// What the ledger says about a call under an idempotency key, and what its outcome makes of the
// entry. Pure. (IETF draft-ietf-httpapi-idempotency-key-header-07 has the conflicts.)
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "model/decision.h"
#include "model/effect.h"
#include "model/outcome.h"
#include "model/policy_spec.h"

namespace weir::policy {

// The key of an effect: 32 hex digits of SHA-256. It names the delivery (its idempotency key), the
// step and the effect, never the attempt; or the caller's own key within the flow.
std::string effect_key(std::string_view delivery_key, std::string_view step, std::string_view name);
std::string caller_effect_key(std::string_view flow, std::string_view caller_key);

// Of what is sent: 32 hex digits of SHA-256.
std::string effect_fingerprint(std::string_view method, std::string_view dependency,
                               std::string_view target, std::string_view body);

enum class Ruling : std::uint8_t {
  send,       // nothing happened under this key
  repeat,     // in doubt, and the dependency still remembers the key
  answer,     // it happened: say what was answered then
  ask,        // in doubt: the dependency is asked first
  hold,       // in doubt: a person says
  otherBody,  // the key stands for another request
};

struct Judgement {
  Ruling ruling = Ruling::send;
  std::string reason;  // of hold, one sentence
};

// `until`: when a call that is made now ends at the latest.
Judgement judge(const std::optional<Effect>& known, std::string_view fingerprint,
                const IdempotencySpec& rules, WallTime until);

// The state after a call. The answer to a repeat can confirm an effect, and never clears the doubt
// about the first call: a refusal of the second says nothing about that.
// `sends`: with this one. The 409 of a later call may be about an earlier one that still runs.
EffectState state_after(const Classification& result, const Outcome& outcome, bool repeat,
                        std::uint32_t sends = 1);

}  // namespace weir::policy
