// SPDX-License-Identifier: Apache-2.0
// A replay plan as people write it: what was read is shown, and what was shown is read as the same
// plan. Its stored form gives it back, too.
#include <string>

#include "base/assert.h"
#include "config/replay_plan_document.h"
#include "input.h"
#include "policy/plan_hash.h"

namespace {

using namespace weir;

const WallTime kNow = from_micros(1'795'000'000'000'000);

std::string shown(const ReplayPlan& plan) {
  wire::JsonWriter json;
  config::write_replay_plan(json, plan);
  return std::move(json).take();
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  if (text.size() > 32 * 1024) return;
  const auto outcome = config::read_replay_plan(text, kNow);
  WEIR_ASSERT(outcome.plan.has_value() == outcome.problems.empty());
  WEIR_ASSERT(config::render(outcome.problems).empty() == outcome.problems.empty());
  if (!outcome.plan) return;
  const std::string document = shown(*outcome.plan);
  const auto again = config::read_replay_plan(document, kNow);
  WEIR_ASSERT(again.plan.has_value());
  WEIR_ASSERT(shown(*again.plan) == document);
  WEIR_ASSERT(policy::plan_hash(*again.plan, {}) == policy::plan_hash(*outcome.plan, {}));
  const auto decoded = decode_replay_plan(encode_replay_plan(*outcome.plan));
  WEIR_ASSERT(decoded.ok() && *decoded == *outcome.plan);
}
