// SPDX-License-Identifier: Apache-2.0
#include "api/views.h"

namespace weir::api {

// What was sent and answered stays in the ledger: it may be payload.
void write_effect(wire::JsonWriter& json, const recovery::Live& live, const Effect& effect) {
  json.begin_object().field("effect", fmt::format("e{}", effect.id.value));
  json.field("state", to_text(effect.state)).field("dependency", effect.dependency);
  json.field("method", effect.method).field("target", effect.target).field("name", effect.name);
  if (!effect.step.empty()) json.field("step", effect.step);
  // A key of the caller's own may be made of what is hidden.
  const bool hides = !effect.caller_key.empty() &&
                     !live.redaction(effect.delivery.position.stream)->empty();
  json.field("key", hides ? effect.key : effect.sent_key())
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
