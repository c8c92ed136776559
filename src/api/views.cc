// SPDX-License-Identifier: Apache-2.0
#include "api/views.h"

#include <algorithm>
#include <cmath>

#include "policy/redacted_event.h"
#include "recovery/history_json.h"
#include "recovery/references.h"
#include "recovery/shown.h"

namespace weir::api {
namespace {

std::string_view breaker_text(policy::Breaker::State state) {
  switch (state) {
    case policy::Breaker::State::closed: return "closed";
    case policy::Breaker::State::open: return "open";
    case policy::Breaker::State::halfOpen: return "halfOpen";
  }
  return "closed";
}

}  // namespace

std::string flow_name(const recovery::Live& live, FlowId id) {
  for (const recovery::LiveFlow& flow : live.flows()) {
    if (flow.record.id == id) return flow.record.name;
  }
  return fmt::format("flow {}", id.value);
}

void write_delivery(wire::JsonWriter& json, const recovery::Live& live, const Delivery& row,
                    bool with_history) {
  const std::string ref = recovery::to_reference(live, row.ref.position);
  const std::string flow = flow_name(live, row.ref.flow);
  json.begin_object().field("name", fmt::format("{}/{}", flow, ref)).field("ref", ref);
  json.field("flow", flow).field("eventId", row.event_id).field("eventType", row.event_type);
  json.field("state", to_text(row.state))
      .field("class", to_text(row.failure))
      .field("attempts", row.attempts);
  json.field("interruptions", row.interruptions)
      .field("replays", row.replays)
      .field("inDoubt", row.in_doubt);
  json.field("archived", row.archived).field("exhausted", row.exhausted);
  if (!row.key.empty()) json.field("key", recovery::shown_key(live, row.ref.flow, row.key));
  json.field("reason", row.reason);
  if (!row.failure_mode.empty()) json.field("failureMode", row.failure_mode);
  if (!row.resolution.empty()) json.field("resolution", row.resolution);
  if (row.replay) json.field("replay", recovery::to_text(row.replay));
  time_field(json, "firstAt", row.first_at);
  time_field(json, "changedAt", row.changed_at);
  time_field(json, "due", row.due);
  time_field(json, "deadline", row.deadline);
  if (with_history) recovery::write_history(json, row.history);
  json.end_object();
}

void write_flow(wire::JsonWriter& json, const delivery::FlowView& view,
                const ports::FlowCounts& counts) {
  const FlowSpec& spec = *view.spec;
  json.begin_object()
      .field("flow", spec.name)
      .field("stream", spec.stream)
      .field("dependency", spec.dependency);
  json.field("path", spec.path).field("status", to_text(view.record->status));
  if (view.record->cause != PauseCause::none) json.field("pauseCause", to_text(view.record->cause));
  if (!view.record->reason.empty()) json.field("statusReason", view.record->reason);
  time_field(json, "since", view.record->since);
  json.field("floor", view.floor).field("nextSeq", view.next_seq).field("backlog", view.backlog);
  json.field("waiting", counts.waiting)
      .field("quarantined", counts.quarantined)
      .field("held", view.held);
  json.field("retriesDue", static_cast<std::uint64_t>(view.retries));
  time_field(json, "oldestUnsettledAt", view.oldest_unsettled);
  time_field(json, "oldestReadyAt", view.oldest_ready);
  if (!spec.ordering_key.empty()) json.field("orderingKey", spec.ordering_key);
  if (!spec.where.empty()) json.key("where").raw(spec.where);
  json.field("maxAttempts", spec.policy.retry.max_attempts)
      .field("idempotent", spec.idempotent)
      .end_object();
}

ports::FlowCounts counts_of(const std::vector<ports::FlowCounts>& all, FlowId id) {
  const auto found = std::ranges::find(all, id, &ports::FlowCounts::flow);
  return found == all.end() ? ports::FlowCounts{} : *found;
}

namespace {

constexpr Guardrail kGuardrails[] = {Guardrail::breaker, Guardrail::retryBudget,
                                     Guardrail::rateLimit, Guardrail::concurrency};

// Those of single paths, and what a person said.
void write_breakers(wire::JsonWriter& json, delivery::Dispatcher& dispatcher, MonoTime now) {
  if (const BreakerControl* control = dispatcher.control()) {
    json.key("breakerControl").begin_object().field("state", to_text(control->order));
    time_field(json, "since", control->since);
    time_field(json, "until", control->until);
    json.field("actor", control->actor).field("reason", control->reason).end_object();
  }
  if (!dispatcher.spec().policy.circuit_breaker.per_path) return;
  json.key("breakers").begin_array();
  for (policy::PathBreaker& one : dispatcher.guardrails().breakers()) {
    if (one.path.empty()) continue;
    json.begin_object().field("path", one.path);
    json.field("breaker", breaker_text(one.breaker.state(now))).end_object();
  }
  json.end_array();
}

}  // namespace

void write_dependency(wire::JsonWriter& json, delivery::Dispatcher& dispatcher, MonoTime now) {
  policy::Guardrails& rails = dispatcher.guardrails();
  json.begin_object()
      .field("dependency", dispatcher.spec().name)
      .field("url", dispatcher.spec().url);
  json.field("breaker", breaker_text(rails.worst_breaker(now).state(now)));
  write_breakers(json, dispatcher, now);
  json.field("inFlight", rails.in_flight()).field("limit", rails.limit(now));
  json.field("retryBudget", std::round(rails.budget().balance(now) * 100) / 100);
  if (rails.tokens().spec().capacity > 0)
    json.field("retryTokens", std::round(rails.tokens().tokens() * 100) / 100);
  if (dispatcher.spec().capacity_per_second > 0)
    json.field("capacityPerSecond", dispatcher.spec().capacity_per_second);
  json.key("denials").begin_object();
  for (const Guardrail guardrail : kGuardrails) {
    json.field(to_text(guardrail), rails.denials(guardrail));
  }
  json.end_object().key("wouldDeny").begin_object();
  for (const Guardrail guardrail : kGuardrails) {
    const std::uint64_t count = rails.shadow_denials(guardrail);
    if (count > 0) json.field(to_text(guardrail), count);
  }
  json.end_object().key("admitted").begin_object();
  for (const policy::Work work : policy::kAllWork)
    json.field(policy::to_text(work), rails.admitted(work));
  json.end_object();
  if (const auto& refusal = dispatcher.refusal()) {
    json.key("waitsFor").begin_object().field("guardrail", to_text(refusal->guardrail));
    json.field("reason", refusal->reason).end_object();
  }
  json.end_object();
}

void write_event(wire::JsonWriter& json, const recovery::Live& live, const StoredEvent& stored) {
  json.begin_object().field("ref", recovery::to_reference(live, stored.position));
  time_field(json, "recordedAt", stored.recorded);
  const auto decoded = decode_event(stored.record);
  if (decoded.ok()) {
    const auto redaction = live.redaction(stored.position.stream);
    const policy::RedactedEvent shown(*decoded, *redaction);
    const Event* event = &shown.attributes();
    json.field("id", event->id).field("source", event->source).field("type", event->type);
    if (!event->subject.empty()) json.field("subject", event->subject);
    if (!event->time.empty()) json.field("time", event->time);
    if (!event->datacontenttype.empty()) json.field("datacontenttype", event->datacontenttype);
    if (!event->dataschema.empty()) json.field("dataschema", event->dataschema);
    json.key("extensions").begin_object();
    for (const Extension& extension : event->extensions)
      json.field(extension.name, extension.value);
    json.end_object().field("dataBytes", static_cast<std::uint64_t>(decoded->data.size()));
  }
  json.end_object();
}

}  // namespace weir::api
