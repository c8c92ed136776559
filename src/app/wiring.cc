// SPDX-License-Identifier: Apache-2.0
#include "app/wiring.h"

#include <algorithm>

#include "net/http_fetch.h"

namespace weir::app {
namespace {

std::string breaker_text(delivery::Dispatcher& dispatcher, WallTime wall, MonoTime now) {
  policy::Breaker& breaker = dispatcher.guardrails().worst_breaker(now);
  switch (breaker.state(now)) {
    case policy::Breaker::State::closed: return "closed";
    case policy::Breaker::State::halfOpen: return "half-open";
    case policy::Breaker::State::open:
      if (breaker.open_until() == MonoTime::max()) return "opened by hand";
      return fmt::format("open until {}", to_clock_text(wall + (breaker.open_until() - now)));
  }
  return "closed";
}

// What a plan's check may have to read: a flood is no answer.
constexpr std::size_t kProbeBytesMax = 1024 * 1024;

async::Task<Result<policy::ProbeAnswer>> probe(async::Executor executor, async::Clock& clock,
                                               const EgressGate& egress, std::string url,
                                               Duration patience) {
  WEIR_CO_TRY(const net::Url parsed, net::parse_url(url));
  auto fetched = co_await net::fetch(executor, clock,
                                     {.url = std::move(url),
                                      .headers = {{"accept", "application/json"}},
                                      .timeout = patience,
                                      .answer_bytes_max = kProbeBytesMax,
                                      .egress = egress.for_plan(parsed)});
  if (!fetched.ok()) co_return fetched.error();
  policy::ProbeAnswer answer{.status = fetched->status, .body = std::move(fetched->body)};
  for (net::HttpHeader& header : fetched->headers)
    answer.headers.emplace_back(std::move(header.name), std::move(header.value));
  co_return answer;
}

recovery::LiveDependency live_dependency(delivery::Dispatcher& dispatcher, async::Clock& clock,
                                         MonoTime started) {
  const MonoTime now = clock.mono();
  recovery::LiveDependency answer;
  answer.breaker = breaker_text(dispatcher, clock.wall(), now);
  answer.breaker_open = dispatcher.guardrails().worst_breaker(now).state(now) !=
                        policy::Breaker::State::closed;
  // What was before this process is not known.
  answer.has_breaker = dispatcher.spec().policy.circuit_breaker.enabled;
  answer.closed_for = std::min(dispatcher.guardrails().closed_for(now), Duration{now - started});
  if (const auto& refusal = dispatcher.refusal()) answer.refusal = refusal->reason;
  const RateLimitSpec& rate = dispatcher.spec().policy.rate_limit;
  answer.rate_limit = rate.enabled ? rate.per_second : 0;
  answer.capacity = dispatcher.spec().capacity_per_second;
  answer.request_price = dispatcher.spec().request_price;
  answer.idempotency = dispatcher.spec().policy.idempotency;
  answer.live_calls = dispatcher.guardrails().admitted(policy::Work::first) +
                      dispatcher.guardrails().admitted(policy::Work::retry);
  return answer;
}

void wire_flows(recovery::Live& live, const std::unique_ptr<delivery::Engine>& engine) {
  live.flows = [&engine] {
    std::vector<recovery::LiveFlow> flows;
    for (const delivery::FlowView& view : engine->flow_views()) {
      flows.push_back(
          {*view.record, engine->stream_name(view.record->stream), view.spec, view.floor});
    }
    for (const FlowRecord& record : engine->removed_flows()) {
      flows.push_back({record, engine->stream_name(record.stream), nullptr});
    }
    return flows;
  };
  live.flow = [&engine](FlowId id) -> std::optional<recovery::LiveFlow> {
    if (const delivery::Flow* flow = engine->find_flow(id)) {
      return recovery::LiveFlow{flow->record(), engine->stream_name(flow->stream()), &flow->spec(),
                                flow->cursor().floor()};
    }
    for (const FlowRecord& record : engine->removed_flows()) {
      if (record.id == id)
        return recovery::LiveFlow{record, engine->stream_name(record.stream), nullptr};
    }
    return std::nullopt;
  };
}

}  // namespace

recovery::Live wire_recovery(async::Executor executor,
                             const std::unique_ptr<delivery::Engine>& engine, async::Clock& clock,
                             const EgressGate& egress) {
  recovery::Live live;
  const MonoTime started = clock.mono();
  wire_flows(live, engine);
  live.delivery = [&engine](FlowId id, Position position,
                            std::string_view key) -> std::optional<recovery::LiveDelivery> {
    const delivery::Flow* flow = engine->find_flow(id);
    if (flow == nullptr) return std::nullopt;
    recovery::LiveDelivery answer;
    answer.settled_or_owned = flow->cursor().is_settled(position.seq);
    answer.sent = position.seq < flow->cursor().durable_mark();
    if (const Hold* hold = flow->find_hold(key)) answer.hold = *hold;
    return answer;
  };
  live.dependency = [&engine, &clock,
                     started](std::string_view name) -> std::optional<recovery::LiveDependency> {
    delivery::Dispatcher* dispatcher = engine->find_dispatcher(name);
    if (dispatcher == nullptr) return std::nullopt;
    return live_dependency(*dispatcher, clock, started);
  };
  live.failure_mode = [&engine](std::string_view name) -> const FailureModeSpec* {
    const auto& modes = engine->config().failure_modes;
    const auto found = std::ranges::find(modes, name, &FailureModeSpec::name);
    return found == modes.end() ? nullptr : &*found;
  };
  live.position = [&engine](std::string_view stream, std::uint64_t seq) -> std::optional<Position> {
    const StreamRecord* record = engine->find_stream(stream);
    if (record == nullptr || seq == 0 || seq > kSeqMax) return std::nullopt;
    return Position{record->id, 0, seq};
  };
  live.stream_name = [&engine](StreamId id) { return engine->stream_name(id); };
  live.stream_names = [&engine] {
    std::vector<std::string> names;
    for (const StreamRecord& stream : engine->streams()) names.push_back(stream.name);
    return names;
  };
  live.approvals = [&engine]() -> const ApprovalsSpec& { return engine->config().approvals; };
  live.redaction = [&engine](std::optional<StreamId> id) {
    return id ? engine->redactions().of(engine->stream_name(*id)) : engine->redactions().of_all();
  };
  live.release = [&engine](const std::vector<DeliveryRef>& refs, ReplayId replay) {
    engine->release(refs, replay);
  };
  live.live_lag = [&engine, &clock](FlowId id) {
    const delivery::Flow* flow = engine->find_flow(id);
    const WallTime oldest = flow == nullptr ? WallTime{} : flow->oldest_ready();
    return oldest == WallTime{} ? Duration{} : std::max(clock.wall() - oldest, Duration{});
  };
  live.probe = [executor, &clock, &egress](std::string url, Duration patience) {
    return probe(executor, clock, egress, std::move(url), patience);
  };
  live.settled_elsewhere = [&engine](DeliveryRef ref, const std::string& key) {
    engine->settled_elsewhere(ref, key);
  };
  return live;
}

effects::Wired wire_effects(const std::unique_ptr<delivery::Engine>& engine,
                            std::function<async::Task<Outcome>(effects::Send)> send) {
  effects::Wired wired;
  wired.flow = [&engine](FlowId id) -> const FlowSpec* {
    const delivery::Flow* flow = engine->find_open_flow(id);
    return flow == nullptr ? nullptr : &flow->spec();
  };
  wired.dependency = [&engine](std::string_view name) -> const DependencySpec* {
    const delivery::Dispatcher* dispatcher = engine->find_dispatcher(name);
    return dispatcher == nullptr ? nullptr : &dispatcher->spec();
  };
  wired.guardrails = [&engine](std::string_view name) -> policy::Guardrails* {
    delivery::Dispatcher* dispatcher = engine->find_any_dispatcher(name);
    return dispatcher == nullptr ? nullptr : &dispatcher->guardrails();
  };
  wired.released = [&engine](std::string_view name) {
    if (delivery::Dispatcher* dispatcher = engine->find_any_dispatcher(name)) dispatcher->pump();
  };
  wired.send = std::move(send);
  return wired;
}

}  // namespace weir::app
