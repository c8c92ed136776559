// SPDX-License-Identifier: Apache-2.0
// The attempts under way whose handlers may have effects: delivery puts them in, the effect gateway
// looks them up by their Weir-Token. Kept in memory: a token is worth nothing after its attempt, or
// after a restart. As many as calls are under way. One I/O thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"
#include "model/effect.h"
#include "model/position.h"
#include "policy/hidden_values.h"

namespace weir::policy {

struct RunningAttempt {
  DeliveryRef delivery;
  std::string flow;
  std::string flow_identity;    // its first name: renaming keeps keys
  std::string idempotency_key;  // of the delivery
  std::uint32_t attempt = 1;
  ReplayId replay;
  MonoTime deadline;
  std::string traceparent;
  std::string tracestate;
  HiddenValues hidden;  // of its event: nobody is shown them
  EffectReport report;  // written by the gateway
  bool ended = false;
};

class RunningAttempts {
 public:
  // `secret`: at least 128 random bits that nobody else knows.
  explicit RunningAttempts(std::string secret) : secret_(std::move(secret)) {}

  // The token: 32 hex digits that cannot be guessed.
  std::string begin(RunningAttempt attempt);
  // nullptr: unknown, or over. Who keeps the answer sees `ended` when it is over.
  std::shared_ptr<RunningAttempt> find(std::string_view token) const;
  EffectReport end(std::string_view token);
  std::size_t size() const { return attempts_.size(); }

 private:
  std::string secret_;
  std::uint64_t count_ = 0;
  // By the hash of the token, so that the time of a look-up says nothing about tokens.
  std::unordered_map<std::string, std::shared_ptr<RunningAttempt>> attempts_;
};

}  // namespace weir::policy
