// SPDX-License-Identifier: Apache-2.0
#include "recovery/shown.h"

#include "policy/plan_hash.h"
#include "policy/redaction_tag.h"

namespace weir::recovery {

std::string shown_key(const Live& live, FlowId flow, const std::string& key) {
  if (key.empty() || policy::is_key_tag(key)) return key;
  const auto known = live.flow(flow);
  const bool hidden = known && known->spec != nullptr && known->spec->key_is_redacted;
  return hidden ? policy::key_tag(known->spec->key_secret, key) : key;
}

Result<std::string> key_as_stored(const Live& live, const Selection& selection) {
  const std::string& key = selection.key;
  if (key.empty() || policy::is_key_tag(key)) return key;
  std::string secret;
  bool some_hidden = false;
  bool some_plain = false;
  for (const LiveFlow& flow : live.flows()) {
    const bool asked = selection.flow.empty() || selection.flow == flow.record.name;
    if (!asked || flow.spec == nullptr || flow.spec->ordering_key.empty()) continue;
    some_hidden = some_hidden || flow.spec->key_is_redacted;
    some_plain = some_plain || !flow.spec->key_is_redacted;
    if (flow.spec->key_is_redacted) secret = flow.spec->key_secret;
  }
  if (!some_hidden) return key;
  if (!some_plain) return policy::key_tag(secret, key);
  return Error{Code::invalid_argument, "some flows redact their ordering keys, and some do not",
               "say which flow is meant: --flow"};
}

Selection shown_selection(const Live& live, Selection selection) {
  selection.where = live.redaction(std::nullopt)->redact_pattern(selection.where);
  const auto key = key_as_stored(live, selection);
  selection.key = key.ok() ? *key : std::string(policy::kMask);
  return selection;
}

void mask_headers(ReplayTerms& terms) {
  for (auto& [name, value] : terms.headers) value = policy::kMask;
}

void keep_masked_headers(ReplayTerms& terms, const ReplayTerms& before) {
  for (auto& [name, value] : terms.headers) {
    if (value != policy::kMask) continue;
    for (const auto& [known, was] : before.headers) {
      if (known == name) value = was;
    }
  }
}

std::string plan_hash(const Live& live, const ReplayPlan& plan) {
  return policy::plan_hash(plan,
                           live.redaction ? *live.redaction(std::nullopt) : policy::Redaction());
}

}  // namespace weir::recovery
