// SPDX-License-Identifier: Apache-2.0
#include "policy/plan_hash.h"

#include "base/seeded_bug.h"
#include "wire/digest.h"

namespace weir::policy {

std::string plan_hash(const ReplayPlan& plan) {
  ReplayPlan hashed = plan;
  hashed.actor.clear();
  hashed.reason.clear();
  hashed.makers.clear();
  if (WEIR_SEEDED_BUG("plan_hash.rate_left_out")) hashed.rate = {};
  return wire::sha256_hex(encode_replay_plan(hashed));
}

}  // namespace weir::policy
