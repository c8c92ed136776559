// SPDX-License-Identifier: Apache-2.0
#include "delivery/attempt.h"

#include <algorithm>

#include "base/failpoint.h"
#include "base/seeded_bug.h"
#include "policy/effect_weight.h"
#include "policy/redacted_answer.h"
#include "wire/digest.h"
#include "wire/trace_context.h"

namespace weir::delivery {
namespace {

std::string_view extension(const Event& event, std::string_view name) {
  const Extension* found = event.find_extension(name);
  return found == nullptr ? std::string_view{} : found->value;
}

Event without(const Event& event, const std::vector<std::string>& names) {
  Event copy = event;
  std::erase_if(copy.extensions, [&](const Extension& extension) {
    return std::ranges::find(names, extension.name) != names.end();
  });
  return copy;
}

// The event's trace goes on; or a new one names it, as its member of tracestate.
wire::Span span_of(const Event& event, const Attempt& attempt, std::string_view key, Rng& rng) {
  const std::string_view parent = extension(event, "traceparent");
  if (attempt.terms == nullptr || !attempt.terms->new_trace)
    return wire::next_span(parent, extension(event, "tracestate"), key, rng);
  const std::string own = fmt::format("{:016x}{:016x}", rng.next(), rng.next() | 1);
  wire::Span span = wire::next_span({}, {}, own, rng);
  if (const auto old = wire::parse_traceparent(parent))
    span.tracestate = fmt::format("weir={}-{}", old->trace_id, old->parent_id);
  return span;
}

// Empty: the flow has no effects. Until it is ended, the handler may call the effect gateway.
std::string begin_effects(DeliveryParts& parts, const Flow& flow, const Attempt& attempt,
                          std::string_view key, const wire::Span& span) {
  if (flow.spec().effects.empty()) return {};
  return parts.running.begin(
      {.delivery = {flow.id(), attempt.position},
       .flow = flow.spec().name,
       .flow_identity = flow.record().identity,
       .idempotency_key = std::string(key),
       .attempt = attempt.number,
       .replay = attempt.replay,
       .deadline = parts.clock.mono() + attempt.timeout,
       .traceparent = span.traceparent,
       .tracestate = span.tracestate,
       .hidden = parts.redactions.of(flow.spec().stream)->hidden_values(attempt.event)});
}

}  // namespace

async::Task<Attempted> run_attempt(DeliveryParts& parts, Flow& flow, const Attempt& attempt) {
  Event stripped;
  if (attempt.terms != nullptr && !attempt.terms->strip.empty())
    stripped = without(attempt.event, attempt.terms->strip);
  const bool strips = attempt.terms != nullptr && !attempt.terms->strip.empty();
  const Event& event = strips ? stripped : attempt.event;
  const std::string first_key = wire::idempotency_key(
      parts.stream_name(flow.stream()), event.source, event.id, flow.record().identity);
  const std::uint32_t edition = WEIR_SEEDED_BUG("attempt.key_per_try") ? attempt.number
                                                                       : attempt.revision;
  const std::string key = edition == kFirstRevision ? first_key
                                                    : wire::revised_key(first_key, edition);
  const wire::Span span = span_of(event, attempt, key, parts.rng);
  const std::string replay = attempt.replay ? fmt::format("r{}", attempt.replay.value)
                                            : std::string{};

  Attempted result;
  result.started = parts.clock.wall();
  result.trace_id = span.trace_id();
  const std::string token = begin_effects(parts, flow, attempt, key, span);
  const std::shared_ptr<ports::Handler> handler = flow.handler();  // keeps it over a reload
  const ports::Invocation invocation{
      .event = event,
      .flow = flow.spec().name,
      .idempotency_key = key,
      .traceparent = span.traceparent,
      .tracestate = span.tracestate,
      .attempt = attempt.number,
      .replay = replay,
      .revision = attempt.revision,
      .first_key = first_key,
      .token = token,
      .headers = attempt.terms == nullptr ? nullptr : &attempt.terms->headers,
      .timeout = attempt.timeout,
      .deadline = parts.clock.mono() + attempt.timeout,
      .burst = attempt.burst,
  };
  (void)WEIR_FAILPOINT("attempt.before_call");
  result.outcome = co_await handler->invoke(invocation);
  (void)WEIR_FAILPOINT("attempt.after_call");
  result.classification = policy::classify(result.outcome, parts.rules, flow.spec().name,
                                           flow.spec().dependency, parts.clock.wall());
  if (!token.empty()) {
    result.classification = policy::weigh_effects(std::move(result.classification),
                                                  parts.running.end(token), flow.spec().idempotent);
  }
  if (result.classification.failure != FailureClass::ok || !result.outcome.body.empty()) {
    const auto redaction = parts.redactions.of(flow.spec().stream);
    policy::redact_outcome(attempt.event, *redaction, result.outcome, result.classification);
  }
  co_return result;
}

}  // namespace weir::delivery
