// SPDX-License-Identifier: Apache-2.0
#include "policy/plan_hash.h"

#include "base/seeded_bug.h"
#include "policy/keyed_name.h"

namespace weir::policy {

std::string plan_hash(const ReplayPlan& plan, const Redaction& redaction) {
  ReplayPlan hashed = plan;
  hashed.actor.clear();
  hashed.reason.clear();
  hashed.makers.clear();
  if (WEIR_SEEDED_BUG("plan_hash.rate_left_out")) hashed.rate = {};
  return keyed_name(redaction, "plan", encode_replay_plan(hashed));
}

}  // namespace weir::policy
