// SPDX-License-Identifier: Apache-2.0
#include "delivery/engine.h"

#include <algorithm>

#include "base/text.h"

namespace weir::delivery {

Engine::Engine(EngineOptions options)
    : options_(std::move(options)),
      rng_(options_.seed),
      tasks_(options_.executor),
      alarms_(options_.executor),
      settling_(options_.executor),
      settler_(options_.executor, options_.store.writer(), options_.clock, alarms_,
               options_.on_store_failed),
      running_(options_.token_secret),
      parts_{.executor = options_.executor,
             .clock = options_.clock,
             .tasks = tasks_,
             .alarms = alarms_,
             .store = options_.store,
             .settler = settler_,
             .rng = rng_,
             .rules = rules_,
             .running = running_,
             .redactions = redactions_,
             .sinks = options_.sinks,
             .on_error = options_.on_error,
             .stream_name = [this](StreamId id) { return stream_name(id); }} {}

Engine::~Engine() = default;

void Engine::appended(const std::vector<StoredEvent>& events) {
  if (events.empty()) return;
  const StreamId stream = events.front().position.stream;
  const std::uint64_t next_seq = events.back().position.seq + 1;
  const auto record = std::ranges::find(streams_, stream, &StreamRecord::id);
  if (record != streams_.end()) record->next_seq = std::max(record->next_seq, next_seq);
  for (auto& [name, flow] : flows_) {
    if (flow->stream() == stream) flow->appended(events);
  }
}

void Engine::release(const std::vector<DeliveryRef>& refs, ReplayId replay) {
  for (const DeliveryRef& ref : refs) {
    if (Flow* flow = find_open_flow(ref.flow))
      flow->add_replay({.due = {}, .ref = ref, .replay = replay});
  }
  for (auto& [name, dispatcher] : dispatchers_) dispatcher->pump();
}

void Engine::settled_elsewhere(DeliveryRef ref, const std::string& key) {
  Flow* flow = find_open_flow(ref.flow);
  if (flow == nullptr || !flow->keys().is_held_by(key, ref.position)) return;
  if (flow->keys().may_drain_now(key)) flow->drain_key(key);
}

async::Task<> Engine::drain(MonoTime deadline) {
  for (auto& [name, dispatcher] : dispatchers_) dispatcher->stop();
  for (auto& [name, flow] : flows_) flow->stop_reading();
  constexpr Duration kLook = std::chrono::milliseconds{10};
  while (tasks_.size() > 0 && options_.clock.mono() < deadline) {
    co_await options_.clock.sleep_until(std::min(deadline, options_.clock.mono() + kLook));
  }
}

async::Task<> Engine::join() {
  co_await tasks_.join();
  co_await alarms_.join();
  settler_.stop();
  co_await settling_.join();
  for (auto& [name, flow] : flows_) flow->close();
  for (auto& flow : retired_) {
    if (!flow->is_closed()) flow->close();
  }
  co_await settler_.commit_rest();
}

std::vector<FlowView> Engine::flow_views() const {
  std::vector<FlowView> views;
  for (const auto& [name, flow] : flows_) {
    FlowView view{.spec = &flow->spec(), .record = &flow->record()};
    view.floor = flow->cursor().floor();
    view.next_seq = stream_next_seq(flow->stream());
    view.backlog = view.next_seq > view.floor ? view.next_seq - view.floor : 0;
    view.retries = flow->retries().size();
    view.replays = flow->replays().size();
    view.held = flow->keys().held_count();
    view.full_since = flow->full_since();
    view.oldest_ready = flow->oldest_ready();
    view.oldest_unsettled = oldest_unsettled(*flow);
    views.push_back(view);
  }
  return views;
}

std::vector<Dispatcher*> Engine::dispatchers() const {
  std::vector<Dispatcher*> all;
  for (const auto& [name, dispatcher] : dispatchers_) {  // calls of others may still run
    const auto spec = std::ranges::find(config_.dependencies, name, &DependencySpec::name);
    if (spec != config_.dependencies.end()) all.push_back(dispatcher.get());
  }
  return all;
}

std::string Engine::stream_name(StreamId id) const {
  const auto found = std::ranges::find(streams_, id, &StreamRecord::id);
  return found == streams_.end() ? std::string{} : found->name;
}

const StreamRecord* Engine::find_stream(std::string_view name) const {
  const auto found = std::ranges::find(streams_, name, &StreamRecord::name);
  return found == streams_.end() ? nullptr : &*found;
}

bool Engine::has_stream(std::string_view name) const {
  return std::ranges::find(config_.streams, name, &StreamSpec::name) != config_.streams.end();
}

Flow* Engine::find_flow(std::string_view name) const {
  const auto found = flows_.find(name);
  return found == flows_.end() ? nullptr : found->second.get();
}

Flow* Engine::find_flow(FlowId id) const {
  for (const auto& [name, flow] : flows_) {
    if (flow->id() == id) return flow.get();
  }
  return nullptr;
}

Flow* Engine::find_open_flow(FlowId id) const {
  for (const auto& retired : retired_) {
    if (retired->id() == id && !retired->is_closed()) return retired.get();
  }
  return find_flow(id);
}

Dispatcher* Engine::find_any_dispatcher(std::string_view name) const {
  const auto found = dispatchers_.find(name);
  return found == dispatchers_.end() ? nullptr : found->second.get();
}

Dispatcher* Engine::find_dispatcher(std::string_view name) const {
  const auto spec = std::ranges::find(config_.dependencies, name, &DependencySpec::name);
  return spec == config_.dependencies.end() ? nullptr : find_any_dispatcher(name);
}

async::Task<Result<>> Engine::set_status(std::string name, FlowStatus status, std::string action,
                                         std::string reason, std::string actor) {
  Flow* flow = find_flow(name);
  if (flow == nullptr) {
    std::vector<std::string> names;
    for (const auto& [known, ignored] : flows_) names.push_back(known);
    co_return unknown_flow(name, names);
  }
  if (flow->record().status == status) {
    co_return Error{Code::wrong_state,
                    fmt::format("flow '{}' is {} already", name, to_text(status)), ""};
  }
  const WallTime now = options_.clock.wall();
  const auto cause = status == FlowStatus::paused ? PauseCause::person : PauseCause::none;
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::SetFlowStatus{flow->id(), status, reason, now, cause});
  batch.mutations.emplace_back(ports::AddAudit{AuditEntry{.at = now,
                                                          .actor = std::move(actor),
                                                          .action = std::move(action),
                                                          .target = name,
                                                          .reason = reason}});
  auto receipt = co_await options_.store.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  if ((flow = find_flow(name)) != nullptr) flow->set_status(status, cause, std::move(reason), now);
  co_return Result<>{};
}

async::Task<Result<>> Engine::pause(std::string flow, std::string reason, std::string actor) {
  co_return co_await set_status(std::move(flow), FlowStatus::paused, "flow.pause",
                                std::move(reason), std::move(actor));
}

async::Task<Result<>> Engine::resume(std::string flow, std::string reason, std::string actor) {
  co_return co_await set_status(std::move(flow), FlowStatus::active, "flow.resume",
                                std::move(reason), std::move(actor));
}

}  // namespace weir::delivery
