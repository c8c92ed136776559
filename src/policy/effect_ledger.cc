// SPDX-License-Identifier: Apache-2.0
#include "policy/effect_ledger.h"

#include <initializer_list>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/seeded_bug.h"
#include "wire/digest.h"

namespace weir::policy {
namespace {

// With their lengths, so that no two different lists of fields give the same input.
std::string digest_of(std::initializer_list<std::string_view> fields) {
  ByteWriter out;
  for (const std::string_view field : fields) out.text(field);
  return wire::sha256_hex(out.bytes()).substr(0, 32);
}

// A repeat ends before nine tenths of what the dependency is said to remember: clocks differ.
bool is_remembered(const Effect& effect, const IdempotencySpec& rules, WallTime until) {
  if (WEIR_SEEDED_BUG("effects.retention_ignored")) return true;
  return until - effect.first_sent < rules.downstream_retention / 10 * 9;
}

Judgement judge_doubt(const Effect& effect, const IdempotencySpec& rules, WallTime until) {
  switch (rules.on_in_doubt) {
    case OnInDoubt::hold: break;
    case OnInDoubt::reconcile: return {Ruling::ask, {}};
    case OnInDoubt::retryWithKey:
      if (is_remembered(effect, rules, until)) return {Ruling::repeat, {}};
      return {Ruling::hold,
              fmt::format("{} may have forgotten the key: it was first sent at {}, and is "
                          "remembered for {}",
                          effect.dependency, to_rfc3339(effect.first_sent),
                          to_text(rules.downstream_retention))};
  }
  return {Ruling::hold, effect.reason};
}

}  // namespace

std::string effect_key(std::string_view delivery_key, std::string_view step,
                       std::string_view name) {
  return digest_of({"delivery", delivery_key, step, name});
}

std::string caller_effect_key(std::string_view flow, std::string_view caller_key) {
  return digest_of({"caller", flow, caller_key});
}

std::string effect_fingerprint(std::string_view method, std::string_view dependency,
                               std::string_view target, std::string_view body) {
  return digest_of({method, dependency, target, body});
}

Judgement judge(const std::optional<Effect>& known, std::string_view fingerprint,
                const IdempotencySpec& rules, WallTime until) {
  if (!known) return {Ruling::send, {}};
  if (known->fingerprint != fingerprint && !WEIR_SEEDED_BUG("effects.other_body_answered"))
    return {Ruling::otherBody, {}};
  switch (known->state) {
    case EffectState::claimed:
    case EffectState::failedNoEffect: return {Ruling::send, {}};
    case EffectState::confirmed: return {Ruling::answer, {}};
    case EffectState::sent:  // by somebody who is gone
    case EffectState::inDoubt: return judge_doubt(*known, rules, until);
  }
  return {Ruling::hold, known->reason};
}

EffectState state_after(const Classification& result, const Outcome& outcome, bool repeat,
                        std::uint32_t sends) {
  if (result.failure == FailureClass::ok) return EffectState::confirmed;
  if (repeat) return EffectState::inDoubt;
  if (outcome.phase != Phase::maybeSeen) return EffectState::failedNoEffect;
  // RFC 9110 15.4: 307 and 308 ask for the request elsewhere; the others may follow what was done.
  const bool moved = outcome.status >= 300 && outcome.status <= 303;
  const bool still_runs = outcome.status == 409 && sends > 1;
  const bool doubt = result.in_doubt || moved || still_runs || outcome.fault != Fault::none;
  return doubt && !WEIR_SEEDED_BUG("effects.doubt_is_failure") ? EffectState::inDoubt
                                                               : EffectState::failedNoEffect;
}

}  // namespace weir::policy
