// SPDX-License-Identifier: Apache-2.0
#include "recovery/explain.h"
#include "recovery/history_json.h"
#include "recovery/references.h"
#include "wire/json.h"

namespace weir::recovery {
namespace {

using wire::JsonWriter;

void text_field(JsonWriter& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.field(name, text);
}

void list_field(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

double millis(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

void write_event(JsonWriter& json, const ExplainedEvent& event) {
  json.begin_object().field("id", event.id).field("source", event.source).field("type", event.type);
  text_field(json, "subject", event.subject);
  text_field(json, "time", event.time);
  text_field(json, "datacontenttype", event.datacontenttype);
  text_field(json, "dataschema", event.dataschema);
  json.key("extensions").begin_object();
  for (const auto& [name, value] : event.extensions) json.field(name, value);
  json.end_object();
  if (event.has_data) json.field("dataBytes", event.data_bytes);
  json.end_object();
}

void write_row(JsonWriter& json, const Delivery& row) {
  json.field("class", to_text(row.failure))
      .field("reason", row.reason)
      .field("attempts", row.attempts);
  json.field("attemptsThisRound", row.attempts_this_round)
      .field("interruptions", row.interruptions);
  json.field("replays", row.replays).field("inDoubt", row.in_doubt).field("archived", row.archived);
  json.field("exhausted", row.exhausted);
  text_field(json, "failureMode", row.failure_mode);
  text_field(json, "resolution", row.resolution);
  if (row.replay) json.field("replay", to_text(row.replay));
  time_field(json, "firstAt", row.first_at);
  time_field(json, "changedAt", row.changed_at);
  time_field(json, "due", row.due);
  time_field(json, "deadline", row.deadline);
  write_history(json, row.history);
}

void write_settlement(JsonWriter& json, const Settlement& settlement, WallTime at) {
  json.key("settlement").begin_object();
  time_field(json, "at", at);
  if (settlement.status != 0) {  // a filtered event was never sent
    json.field("status", static_cast<unsigned>(settlement.status))
        .field("attempt", settlement.attempt);
    json.field("durationMs", millis(Duration{settlement.duration_us}));
  }
  json.end_object();
}

void write_held_by(JsonWriter& json, const HeldBy& by) {
  json.key("heldBy").begin_object().field("ref", by.holder);
  if (by.state) json.field("state", to_text(*by.state));
  time_field(json, "since", by.since);
  text_field(json, "reason", by.reason);
  json.field("behind", by.count).field("draining", by.draining).end_object();
}

void write_group(JsonWriter& json, const DeliveryExplanation& delivery) {
  const Group& group = *delivery.group;
  json.key("group")
      .begin_object()
      .field("group", group.fingerprint.hash)
      .field("shortName", delivery.group_name);
  json.field("title", group.fingerprint.title).field("reason", group.fingerprint.normalised);
  json.field("open", group.open).field("total", group.total).field("keys", group.keys);
  time_field(json, "firstAt", group.first_at);
  time_field(json, "lastAt", group.last_at);
  json.end_object();
}

void write_replayable(JsonWriter& json, const DeliveryExplanation& delivery) {
  json.key("replayable").begin_object().field("now", delivery.replay_blocked.empty());
  list_field(json, "blockedBy", delivery.replay_blocked);
  json.field("safe", to_text(delivery.replay_safe));
  list_field(json, "reasons", delivery.replay_reasons);
  if (delivery.in_replay) json.field("replay", to_text(*delivery.in_replay));
  json.end_object();
}

// Without values: who may look at this may not look at data.
void write_revisions(JsonWriter& json, const DeliveryExplanation& delivery) {
  if (delivery.revisions.empty()) return;
  json.field("revision", delivery.row->revision).key("revisions").begin_array();
  for (const ShownRevision& one : delivery.revisions) {
    json.begin_object().field("revision", one.number);
    time_field(json, "at", one.at);
    json.field("editor", one.editor).field("reason", one.reason).key("changed").begin_array();
    for (const policy::Change& change : one.changes) json.value(change.pointer);
    json.end_array().end_object();
  }
  json.end_array();
}

void write_effects(JsonWriter& json, const DeliveryExplanation& delivery) {
  if (delivery.effects.empty()) return;
  json.key("effects").begin_array();
  for (const ExplainedEffect& one : delivery.effects) {
    json.begin_object().field("effect", fmt::format("e{}", one.effect.id.value));
    json.field("what", describe(one.effect)).field("state", to_text(one.effect.state));
    json.field("reason", one.effect.reason).field("nextCall", one.next_call);
    time_field(json, "changedAt", one.effect.changed_at);
    json.end_object();
  }
  json.end_array();
}

void write_delivery(JsonWriter& json, const DeliveryExplanation& delivery) {
  json.begin_object()
      .field("flow", delivery.flow)
      .field("flowStatus", to_text(delivery.flow_status));
  text_field(json, "flowReason", delivery.flow_reason);
  text_field(json, "dependency", delivery.dependency);
  json.field("state", state_name(delivery));
  text_field(json, "key", delivery.key);
  if (delivery.max_attempts > 0) json.field("maxAttempts", delivery.max_attempts);
  if (delivery.row) write_row(json, *delivery.row);
  if (delivery.settlement) write_settlement(json, *delivery.settlement, delivery.settled_at);
  if (delivery.held_by) write_held_by(json, *delivery.held_by);
  if (delivery.row) json.field("holds", delivery.holds);
  if (delivery.group) write_group(json, delivery);
  write_effects(json, delivery);
  write_revisions(json, delivery);
  text_field(json, "runbook", delivery.runbook);
  if (delivery.dependency_state) {
    json.key("dependencyState")
        .begin_object()
        .field("breakerOpen", delivery.dependency_state->breaker_open);
    json.field("breaker", delivery.dependency_state->breaker);
    text_field(json, "refusal", delivery.dependency_state->refusal);
    json.end_object();
  }
  if (delivery.standing == Standing::known && delivery.state == DeliveryState::quarantined) {
    write_replayable(json, delivery);
  }
  list_field(json, "why", delivery.why);
  list_field(json, "next", delivery.next);
  if (!delivery.suggested_mode.empty())
    list_field(json, "suggestedFailureMode", delivery.suggested_mode);
  json.end_object();
}

}  // namespace

std::string to_json(const Explanation& explanation) {
  JsonWriter json;
  json.begin_object().field("ref", explanation.reference).field("stream", explanation.stream);
  json.field("seq", explanation.position.seq);
  time_field(json, "recordedAt", explanation.recorded);
  if (explanation.event) {
    json.key("event");
    write_event(json, *explanation.event);
  }
  json.key("deliveries").begin_array();
  for (const DeliveryExplanation& delivery : explanation.deliveries) write_delivery(json, delivery);
  json.end_array().end_object();
  return std::move(json).take();
}

}  // namespace weir::recovery
