// SPDX-License-Identifier: Apache-2.0
// A side effect on a dependency, as the ledger knows it: one entry per idempotency key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "model/position.h"

namespace weir {

// claimed -> sent -> confirmed | failedNoEffect | inDoubt;  inDoubt -> confirmed | failedNoEffect
// (by a repeat under the same key, by asking the dependency, or by a person);
// failedNoEffect -> sent (the next try).
enum class EffectState : std::uint8_t {
  claimed,  // somebody is about to send it: nothing is durable yet, and nothing was sent
  sent,     // durable before the first byte leaves; found after a crash it is in doubt
  confirmed,
  failedNoEffect,  // it certainly did not happen
  inDoubt,         // it may have happened
};

std::string_view to_text(EffectState state);
std::optional<EffectState> parse_effect_state(std::string_view text);

// What the dependency answered, for whoever asks under the same key again.
struct EffectAnswer {
  std::uint16_t status = 0;                                  // 0 = there was none
  std::vector<std::pair<std::string, std::string>> headers;  // end to end ones, names lower case
  std::string body;
  bool operator==(const EffectAnswer&) const = default;
};

struct Effect {
  EffectId id;      // given by the store
  std::string key;  // 32 hex digits, stable over attempts and replays
  EffectState state = EffectState::sent;
  std::uint32_t version = 1;  // grows with every write: the fence against late answers
  DeliveryRef delivery;
  std::string dependency;
  std::string method;
  std::string target;       // origin form, below the dependency's URL
  std::string step;         // of a handler that has several
  std::string name;         // what the handler calls it, or "METHOD target"
  std::string caller_key;   // the caller's own Idempotency-Key; empty = Weir's
  std::string fingerprint;  // 32 hex digits of method, dependency, target and body
  std::uint32_t sends = 0;
  std::uint32_t attempt = 0;  // of the delivery that sent it last
  WallTime first_sent{};
  WallTime last_sent{};
  WallTime changed_at{};
  std::string reason;      // why it is in this state, one sentence
  std::string resolution;  // of a person: who and why
  EffectAnswer answer;     // the last one
  // The key that the dependency is given.
  const std::string& sent_key() const { return caller_key.empty() ? key : caller_key; }
  bool operator==(const Effect&) const = default;
};

// What became of the effects of one attempt, for whoever judges its outcome.
struct EffectReport {
  std::uint32_t refused = 0;  // by Weir's own guardrails: nothing was sent
  std::string first_refusal;  // which effect, and why, one sentence
  Duration wait{};            // the longest that a refusal asked for
  std::uint32_t failed = 0;   // for another reason
  std::string held;           // the first one in doubt that waits for a person, described
  std::string other_body;     // the first key that was used for something else, described
};

// "POST tracker/issues", for people.
std::string describe(const Effect& effect);

}  // namespace weir
