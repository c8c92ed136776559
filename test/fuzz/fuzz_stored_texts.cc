// SPDX-License-Identifier: Apache-2.0
// Small values that are kept as text, and names of things: what is read can be written, and is read
// again as the same.
#include <string>

#include "base/assert.h"
#include "config/version.h"
#include "input.h"
#include "model/access.h"
#include "model/approval.h"
#include "model/breaker_control.h"
#include "model/decision.h"
#include "model/delivery.h"
#include "model/effect.h"
#include "model/replay.h"

namespace {

using namespace weir;

void check_version(std::string_view text) {
  const auto version = config::decode_version(text);
  if (!version) return;
  const std::string once = config::encode(*version);
  const auto again = config::decode_version(once);
  WEIR_ASSERT(again && config::encode(*again) == once);
  WEIR_ASSERT(again->number == version->number && again->files.size() == version->files.size());
}

void check_breaker(std::string_view text) {
  const auto control = decode_breaker_control(text);
  if (!control) return;
  WEIR_ASSERT(decode_breaker_control(encode(*control)) == control);
}

template <class Value>
void check_name(std::string_view text, std::optional<Value> (*parse)(std::string_view)) {
  const auto value = parse(text);
  if (value) WEIR_ASSERT(parse(to_text(*value)) == value);
}

void check_names(std::string_view text) {
  check_name<Role>(text, parse_role);
  check_name<TokenId>(text, parse_token_id);
  check_name<ApprovalId>(text, parse_approval_id);
  check_name<BreakerOrder>(text, parse_breaker_order);
  check_name<DeliveryState>(text, parse_delivery_state);
  check_name<EffectState>(text, parse_effect_state);
  check_name<FailureClass>(text, parse_failure_class);
  check_name<Mark>(text, parse_mark);
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  check_version(text);
  check_breaker(text);
  check_names(text);
}
