// SPDX-License-Identifier: Apache-2.0
// How a configuration becomes streams, dispatchers and flows: at start and at every reload.
#include <algorithm>
#include <set>

#include "delivery/engine.h"
#include "delivery/recover.h"

namespace weir::delivery {

async::Task<Result<>> Engine::start(Config config) {
  config_ = std::move(config);
  settling_.spawn(settler_.run());
  co_return co_await apply(config_);
}

async::Task<Result<>> Engine::apply(Config config) {
  // Everything that can be refused is tried before anything changes.
  for (const FlowSpec& flow : config.flows) {
    const auto dependency = std::ranges::find(config.dependencies, flow.dependency,
                                              &DependencySpec::name);
    if (dependency == config.dependencies.end()) {
      co_return Error{Code::config_invalid,
                      fmt::format("flow '{}' names no known dependency", flow.name), ""};
    }
    if (!flow.where.empty()) {
      auto filter = policy::Filter::compile(flow.where);
      if (!filter.ok()) co_return filter.error();
    }
    auto handler = options_.make_handler(*dependency, flow);
    if (!handler.ok()) co_return handler.error();
  }
  config_ = std::move(config);
  set_rules();
  auto streams = co_await register_streams();
  if (!streams.ok()) co_return streams;
  auto dependencies = apply_dependencies();
  if (!dependencies.ok()) co_return dependencies;
  auto flows = co_await register_flows();
  if (!flows.ok()) co_return flows;
  for (auto& [name, dispatcher] : dispatchers_) dispatcher->pump();
  co_return Result<>{};
}

void Engine::set_rules() { rules_.failure_modes = config_.failure_modes; }

async::Task<Result<>> Engine::register_streams() {
  auto known = co_await options_.store.flows().streams();
  if (!known.ok()) co_return known.error();
  std::uint32_t last = 0;
  for (const StreamRecord& record : *known) last = std::max(last, record.id.value);
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  for (const StreamSpec& spec : config_.streams) {
    const auto found = std::ranges::find(*known, spec.name, &StreamRecord::name);
    if (found != known->end()) {
      found->dedupe_window = spec.dedupe_window;
      found->dedupe_max_entries = spec.dedupe_max_entries;
      batch.mutations.emplace_back(ports::PutStream{*found});
      continue;
    }
    if (last == kStreamIdMax) co_return Error{Code::config_invalid, "too many streams", ""};
    StreamRecord record{.id = StreamId{++last}, .name = spec.name};
    record.dedupe_window = spec.dedupe_window;
    record.dedupe_max_entries = spec.dedupe_max_entries;
    batch.mutations.emplace_back(ports::PutStream{record});
    known->push_back(std::move(record));
  }
  if (!batch.mutations.empty()) {
    auto receipt = co_await options_.store.writer().commit(std::move(batch));
    if (!receipt.ok()) co_return receipt.error();
  }
  for (StreamRecord& record : *known) {  // what was appended meanwhile is known better here
    const StreamRecord* running = find_stream(record.name);
    if (running != nullptr) record.next_seq = std::max(record.next_seq, running->next_seq);
  }
  streams_ = std::move(*known);
  co_return Result<>{};
}

Result<> Engine::apply_dependencies() {
  for (const DependencySpec& spec : config_.dependencies) {
    const auto found = dispatchers_.find(spec.name);
    if (found == dispatchers_.end()) {
      dispatchers_.emplace(spec.name, std::make_unique<Dispatcher>(spec, parts_));
    } else {
      found->second->update(spec);
    }
  }
  return {};
}

async::Task<Result<>> Engine::register_flows() {
  auto known = co_await options_.store.flows().flows();
  if (!known.ok()) co_return known.error();
  std::set<std::uint32_t> wanted;
  for (const FlowSpec& spec : config_.flows) {
    auto record = co_await register_flow(spec, *known);
    if (!record.ok()) co_return record.error();
    wanted.insert(record->id.value);
    if (Flow* running = find_flow(record->id)) {
      running->set_record_name(record->name);
    }
    auto added = add_flow(spec, std::move(*record));
    if (!added.ok()) co_return added;
    Flow* flow = find_flow(spec.name);
    if (flow->recovered()) continue;
    auto recovered = co_await recover_flow(parts_, *flow);
    if (!recovered.ok()) co_return recovered;
    flow->set_recovered();
  }
  co_return co_await retire_others(*known, wanted);
}

async::Task<Result<>> Engine::retire_others(std::vector<FlowRecord>& known,
                                            const std::set<std::uint32_t>& wanted) {
  removed_.clear();
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  for (FlowRecord& record : known) {
    if (wanted.contains(record.id.value)) continue;
    if (record.status != FlowStatus::removed) {
      record.status = FlowStatus::removed;
      record.reason = "no longer in the configuration";
      batch.mutations.emplace_back(ports::SetFlowStatus{record.id, FlowStatus::removed,
                                                        record.reason, options_.clock.wall()});
    }
    removed_.push_back(record);
  }
  for (auto entry = flows_.begin(); entry != flows_.end();) {
    if (wanted.contains(entry->second->id().value)) {
      ++entry;
      continue;
    }
    entry->second->stop_reading();
    for (auto& [name, dispatcher] : dispatchers_) dispatcher->remove(entry->second.get());
    retired_.push_back(std::move(entry->second));
    entry = flows_.erase(entry);
  }
  if (batch.mutations.empty()) co_return Result<>{};
  auto receipt = co_await options_.store.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  co_return Result<>{};
}

async::Task<Result<FlowRecord>> Engine::register_flow(const FlowSpec& spec,
                                                      std::vector<FlowRecord>& known) {
  auto found = std::ranges::find(known, spec.name, &FlowRecord::name);
  bool changed = false;
  if (found == known.end() && !spec.renamed_from.empty()) {
    found = std::ranges::find(known, spec.renamed_from, &FlowRecord::name);
    if (found != known.end()) {
      found->name = spec.name;
      changed = true;
    }
  }
  if (found == known.end()) {
    const StreamRecord* stream = find_stream(spec.stream);
    if (stream == nullptr)
      co_return Error{Code::unknown_stream, fmt::format("unknown stream '{}'", spec.stream), ""};
    std::uint32_t last = 0;
    for (const FlowRecord& record : known) last = std::max(last, record.id.value);
    auto start = co_await start_seq(spec, *stream);
    if (!start.ok()) co_return start.error();
    FlowRecord record{
        .id = FlowId{last + 1}, .name = spec.name, .identity = spec.name, .stream = stream->id};
    record.cursor = Cursor{.floor = *start, .mark = *start};
    record.since = options_.clock.wall();
    known.push_back(std::move(record));
    found = std::prev(known.end());
    changed = true;
  }
  if (found->status == FlowStatus::removed) {  // it is back: it goes on at its cursor
    found->status = FlowStatus::active;
    found->reason.clear();
    changed = true;
  }
  if (changed) {
    ports::WriteBatch batch{.lane = ports::Lane::operate};
    batch.mutations.emplace_back(ports::PutFlow{*found});
    auto receipt = co_await options_.store.writer().commit(std::move(batch));
    if (!receipt.ok()) co_return receipt.error();
  }
  co_return *found;
}

async::Task<Result<std::uint64_t>> Engine::start_seq(const FlowSpec& spec,
                                                     const StreamRecord& stream) {
  if (spec.start.kind == FlowStart::Kind::earliest) co_return stream.first_seq;
  if (spec.start.kind == FlowStart::Kind::latest) co_return stream.next_seq;
  co_return co_await options_.store.events().seek(stream.id, spec.start.time);
}

Result<> Engine::add_flow(const FlowSpec& spec, FlowRecord record) {
  const auto dependency = std::ranges::find(config_.dependencies, spec.dependency,
                                            &DependencySpec::name);
  WEIR_TRY(auto filter, spec.where.empty() ? Result<policy::Filter>(policy::Filter::all())
                                           : policy::Filter::compile(spec.where));
  WEIR_TRY(auto handler, options_.make_handler(*dependency, spec));
  Dispatcher* dispatcher = find_dispatcher(spec.dependency);
  if (Flow* flow = find_flow(record.id)) {
    for (auto& [name, other] : dispatchers_) other->remove(flow);
    flow->update(spec, std::move(filter), std::move(handler), dispatcher->ready_signal());
    if (flows_.find(spec.name) == flows_.end()) {  // renamed
      auto node = flows_.extract(std::ranges::find_if(
          flows_, [flow](const auto& entry) { return entry.second.get() == flow; }));
      node.key() = spec.name;
      flows_.insert(std::move(node));
    }
    dispatcher->add(flow);
    return {};
  }
  const StreamId stream = record.stream;
  const auto stream_record = std::ranges::find(streams_, stream, &StreamRecord::id);
  auto flow = std::make_unique<Flow>(spec, std::move(record), stream_record->next_seq,
                                     std::move(filter), std::move(handler),
                                     Flow::Parts{.tasks = tasks_,
                                                 .store = options_.store,
                                                 .settler = settler_,
                                                 .ready = dispatcher->ready_signal(),
                                                 .on_error = options_.on_error});
  dispatcher->add(flow.get());
  flows_.emplace(spec.name, std::move(flow));
  return {};
}

}  // namespace weir::delivery
