// SPDX-License-Identifier: Apache-2.0
// The ordering key of an event: deliveries of one key go one by one, in commit order.
#pragma once

#include <string>
#include <string_view>

#include "model/config_model.h"
#include "model/event.h"

namespace weir::policy {

// `spec` is FlowSpec::ordering_key: empty; an attribute ("subject", "source", "partitionkey", ...);
// or "data.a.b", a path of member names into a JSON payload. The result is empty, which means
// unordered, if it is missing, null, an object or an array, or if the payload is not JSON. Numbers
// and booleans keep their source text. Keys longer than kOrderingKeyMax bytes are replaced by a
// digest of themselves.
inline constexpr std::size_t kOrderingKeyMax = 256;
std::string ordering_key(const Event& event, std::string_view spec);

// How a flow makes its keys. Those that are redacted are tags (policy/redaction_tag.h) from the
// start, so that no row, hold, list, log or plan ever has the value.
struct KeyRule {
  std::string spec;
  bool is_redacted = false;
  std::string secret;
};
KeyRule key_rule(const FlowSpec& flow);
std::string ordering_key(const Event& event, const KeyRule& rule);
std::string ordering_key(const Event& event, const FlowSpec& flow);
// FlowRecord::ordering_key: keys made by different rules do not meet.
std::string recorded_key_rule(const FlowSpec& flow);

}  // namespace weir::policy
