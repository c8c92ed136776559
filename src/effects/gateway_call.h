// SPDX-License-Identifier: Apache-2.0
// One call on its way through the gateway. For effects/gateway*.cc only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "effects/gateway.h"
#include "policy/classify.h"

namespace weir::effects {

// Whether a header is about the message, and not about one connection (RFC 9110 7.6.1) or its
// framing.
bool is_end_to_end(std::string_view lower_case_name);

// What a dependency's answer means for an effect.
Classification classify_effect(const Outcome& outcome, std::string_view dependency, WallTime now);

// A key in the quotes of an sf-string is the same key.
std::string_view bare_key(std::string_view sent);

struct Gateway::Call {
  EffectRequest request;
  std::shared_ptr<policy::RunningAttempt> attempt;
  DependencySpec dependency;  // a copy: a reload may take it away meanwhile
  std::string key;
  std::string fingerprint;
  bool looked = false;          // into the ledger
  std::optional<Effect> known;  // as it was found there
  Effect entry;
  MonoTime deadline;

  policy::Work work() const;
  // What people may be shown of an effect that the ledger has not been asked about.
  Effect as_shown() const;
  // The caller's own, but for what is the connection's, Weir's or set by the dependency's
  // configuration; then trace context and key (none if empty).
  std::string header_lines(std::string_view idempotency_key) const;
  Send send(std::string_view headers) const;
  Classification classify(const Outcome& outcome, WallTime now) const;
  // `entry` as it is before the first byte leaves; its version is the one that the ledger has.
  void begin_entry(bool repeat, WallTime now);
};

}  // namespace weir::effects
