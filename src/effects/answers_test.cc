// SPDX-License-Identifier: Apache-2.0
// The table of docs/guide/effects.md: what the first answer makes of an effect.
#include <set>

#include <doctest/doctest.h>

#include "effects/gateway_call.h"
#include "policy/effect_ledger.h"

namespace weir::effects {
namespace {

EffectState state_of(int status, bool hinted, bool repeat = false) {
  Outcome outcome{.status = status};
  if (hinted) outcome.headers = {{"retry-after", "5"}};
  const Classification result = classify_effect(outcome, "bank", WallTime{std::chrono::hours{1}});
  return policy::state_after(result, outcome, repeat);
}

}  // namespace

TEST_CASE("effects: what each status says of a first call") {
  const std::set<int> turned_away = {501, 505, 506, 507, 508, 510, 511};
  for (const bool hinted : {false, true}) {
    for (int status = 200; status < 600; ++status) {
      CAPTURE(status);
      CAPTURE(hinted);
      const bool busy = (status == 503 || status == 529) && hinted;
      const bool doubt = (status >= 300 && status <= 303) || status == 499 ||
                         (status >= 500 && !turned_away.contains(status) && !busy);
      CHECK(state_of(status, hinted) == (status < 300 ? EffectState::confirmed
                                         : doubt      ? EffectState::inDoubt
                                                      : EffectState::failedNoEffect));
      CHECK(state_of(status, hinted, true) ==
            (status < 300 ? EffectState::confirmed : EffectState::inDoubt));
    }
  }
}

}  // namespace weir::effects
