// SPDX-License-Identifier: Apache-2.0
#include "api/views.h"
#include "policy/keyed_name.h"

namespace weir::api {

namespace {

// Equal for equal keys.
std::string shown_key(const recovery::Live& live, const Effect& effect, bool may_reveal) {
  const auto redaction = live.redaction(effect.delivery.position.stream);
  if (redaction->empty()) return effect.sent_key();
  // A key of the caller's own may be what is hidden.
  if (may_reveal) return effect.key;
  return "redacted:" + policy::keyed_name(*redaction, "effect", effect.key).substr(0, 32);
}

}  // namespace

// What was sent and answered stays in the ledger: it may be payload.
void write_effect(wire::JsonWriter& json, const recovery::Live& live, const Effect& effect,
                  bool may_reveal) {
  json.begin_object().field("effect", fmt::format("e{}", effect.id.value));
  json.field("state", to_text(effect.state)).field("dependency", effect.dependency);
  json.field("method", effect.method).field("target", effect.target).field("name", effect.name);
  if (!effect.step.empty()) json.field("step", effect.step);
  json.field("key", shown_key(live, effect, may_reveal))
      .field("flow", flow_name(live, effect.delivery.flow));
  json.field("event", fmt::format("{}#{}", live.stream_name(effect.delivery.position.stream),
                                  effect.delivery.position.seq));
  json.field("sends", effect.sends).field("attempt", effect.attempt);
  time_field(json, "firstSentAt", effect.first_sent);
  time_field(json, "lastSentAt", effect.last_sent);
  time_field(json, "changedAt", effect.changed_at);
  json.field("reason", effect.reason);
  if (!effect.resolution.empty()) json.field("resolution", effect.resolution);
  if (effect.answer.status != 0) json.field("status", effect.answer.status);
  json.end_object();
}

}  // namespace weir::api
