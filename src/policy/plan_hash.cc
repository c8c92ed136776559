// SPDX-License-Identifier: Apache-2.0
#include "policy/plan_hash.h"

#include "wire/digest.h"

namespace weir::policy {

std::string plan_hash(const ReplayPlan& plan) {
  ReplayPlan hashed = plan;
  hashed.actor.clear();
  hashed.reason.clear();
  hashed.makers.clear();
  return wire::sha256_hex(encode_replay_plan(hashed));
}

}  // namespace weir::policy
