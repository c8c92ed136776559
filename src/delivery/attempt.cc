// SPDX-License-Identifier: Apache-2.0
#include "delivery/attempt.h"

#include "base/failpoint.h"
#include "wire/digest.h"
#include "wire/trace_context.h"

namespace weir::delivery {
namespace {

std::string_view extension(const Event& event, std::string_view name) {
  const Extension* found = event.find_extension(name);
  return found == nullptr ? std::string_view{} : found->value;
}

}  // namespace

async::Task<Attempted> run_attempt(DeliveryParts& parts, Flow& flow, const Attempt& attempt) {
  const Event& event = attempt.event;
  const std::string key = wire::idempotency_key(parts.stream_name(flow.stream()), event.source,
                                                event.id, flow.record().identity);
  const wire::Span span = wire::next_span(extension(event, "traceparent"),
                                          extension(event, "tracestate"), key, parts.rng);
  const std::string replay = attempt.replay ? fmt::format("r{}", attempt.replay.value)
                                            : std::string{};

  Attempted result;
  result.started = parts.clock.wall();
  result.trace_id = span.trace_id();
  const std::shared_ptr<ports::Handler> handler = flow.handler();  // keeps it over a reload
  const ports::Invocation invocation{
      .event = event,
      .flow = flow.spec().name,
      .idempotency_key = key,
      .traceparent = span.traceparent,
      .tracestate = span.tracestate,
      .attempt = attempt.number,
      .replay = replay,
      .timeout = attempt.timeout,
      .deadline = parts.clock.mono() + attempt.timeout,
      .burst = attempt.burst,
  };
  (void)WEIR_FAILPOINT("attempt.before_call");
  result.outcome = co_await handler->invoke(invocation);
  (void)WEIR_FAILPOINT("attempt.after_call");
  result.classification = policy::classify(result.outcome, parts.rules, flow.spec().name,
                                           flow.spec().dependency, parts.clock.wall());
  co_return result;
}

}  // namespace weir::delivery
