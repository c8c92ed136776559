// SPDX-License-Identifier: Apache-2.0
// How a configuration becomes streams, dispatchers and flows: at start and at every reload.
#include <algorithm>
#include <set>

#include "delivery/engine.h"
#include "delivery/recover.h"
#include "policy/ordering_key.h"

namespace weir::delivery {
namespace {

constexpr std::string_view kLastFlowId = "flows.last";

// By its name; by the one it had before; or by the one it began with, if it was renamed since and
// that is taken back now: a new flow of that name would deliver everything again.
FlowRecord* find_record(std::vector<FlowRecord>& known, const FlowSpec& spec,
                        const std::vector<StreamRecord>& streams,
                        const std::vector<FlowSpec>& wanted) {
  auto found = std::ranges::find(known, spec.name, &FlowRecord::name);
  if (found == known.end() && !spec.renamed_from.empty())
    found = std::ranges::find(known, spec.renamed_from, &FlowRecord::name);
  if (found != known.end()) return &*found;
  const auto stream = std::ranges::find(streams, spec.stream, &StreamRecord::name);
  if (stream == streams.end()) return nullptr;
  found = std::ranges::find_if(known, [&](const FlowRecord& record) {
    const auto user = std::ranges::find(wanted, record.name, &FlowSpec::name);
    return record.identity == spec.name && record.stream == stream->id && user == wanted.end();
  });
  return found == known.end() ? nullptr : &*found;
}

}  // namespace

async::Task<Result<>> Engine::start(Config config) {
  config_ = std::move(config);
  settling_.spawn(settler_.run());
  co_return co_await apply(config_);
}

async::Task<Result<>> Engine::apply(Config config) {
  if (applying_)
    co_return Error{Code::wrong_state, "another configuration is being applied", "try again"};
  ++reloads_;
  applying_ = true;
  auto applied = co_await take_over(std::move(config));
  applying_ = false;
  co_return applied;
}

async::Task<Result<>> Engine::take_over(Config config) {
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
  auto fits = co_await check_flows(config);
  if (!fits.ok()) co_return fits;
  config_ = std::move(config);
  set_rules();
  auto streams = co_await register_streams();
  if (!streams.ok()) co_return streams;
  auto dependencies = apply_dependencies();
  if (!dependencies.ok()) co_return dependencies;
  auto breakers = co_await restore_breakers();
  if (!breakers.ok()) co_return breakers;
  auto flows = co_await register_flows();
  if (!flows.ok()) co_return flows;
  for (auto& [name, dispatcher] : dispatchers_) {
    dispatcher->flows_changed(std::ranges::any_of(config_.flows, [&](const FlowSpec& flow) {
      return std::ranges::find(flow.effects, name) != flow.effects.end();
    }));
  }
  co_return Result<>{};
}

// What a flow that exists cannot become.
async::Task<Result<>> Engine::check_flows(const Config& config) {
  auto known = co_await options_.store.flows().flows();
  if (!known.ok()) co_return known.error();
  auto streams = co_await options_.store.flows().streams();
  if (!streams.ok()) co_return streams.error();
  for (const FlowSpec& spec : config.flows) {
    const FlowRecord* record = find_record(*known, spec, *streams, config.flows);
    if (record == nullptr) continue;
    const auto stream = std::ranges::find(*streams, record->stream, &StreamRecord::id);
    if (stream != streams->end() && stream->name != spec.stream) {
      co_return Error{Code::config_invalid,
                      fmt::format("flow '{}' reads stream '{}'; it cannot go over to '{}'",
                                  spec.name, stream->name, spec.stream),
                      "give the flow that reads the other stream another name"};
    }
    if (record->ordering_key == policy::recorded_key_rule(spec)) continue;
    auto holds = co_await options_.store.deliveries().holds(record->id);
    if (!holds.ok()) co_return holds.error();
    if (holds->empty()) continue;
    FlowSpec otherwise = spec;
    otherwise.key_is_redacted = !spec.key_is_redacted;
    const bool same_key = record->ordering_key == policy::recorded_key_rule(otherwise);
    co_return Error{
        Code::config_invalid,
        fmt::format("flow '{}' has {} held keys, made with ordering.key '{}': {} now", spec.name,
                    holds->size(), record->ordering_key,
                    same_key ? "whether it is redacted cannot change" : "it cannot change"),
        fmt::format("put the old {} back, settle what holds the keys (`weir quarantine list --flow "
                    "{}`), then change it",
                    same_key ? "redaction" : "key", spec.name)};
  }
  co_return Result<>{};
}

void Engine::set_rules() {
  rules_.failure_modes = config_.failure_modes;
  redactions_ = policy::Redactions(config_.redaction, config_.streams, options_.redaction_secret);
}

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
  for (StreamRecord& record : *known) {  // what came and what went meanwhile is known better here
    const StreamRecord* running = find_stream(record.name);
    if (running == nullptr) continue;
    record.next_seq = std::max(record.next_seq, running->next_seq);
    record.first_seq = std::max(record.first_seq, running->first_seq);
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
  co_await forget_closed();
  auto known = co_await options_.store.flows().flows();
  if (!known.ok()) co_return known.error();
  std::set<std::uint32_t> wanted;
  for (const FlowSpec& spec : config_.flows) {
    auto record = co_await register_flow(spec, *known);
    if (!record.ok()) co_return record.error();
    wanted.insert(record->id.value);
    const bool stayed = find_flow(record->id) != nullptr;
    revive(record->id, record->name);
    if (Flow* running = find_flow(record->id)) {
      running->set_record_name(record->name);
      // One that stayed knows better: it may have been paused since the record was read.
      if (!stayed && running->record().status != record->status)
        running->set_status(record->status, record->cause, record->reason, record->since);
    }
    auto added = add_flow(spec, std::move(*record));
    if (!added.ok()) co_return added;
    Flow* flow = find_flow(spec.name);
    if (flow->recovered()) {
      flow->try_again();
      continue;
    }
    auto recovered = co_await recover_flow(parts_, *flow);
    if (!recovered.ok()) co_return recovered;
    flow->set_recovered();
  }
  co_return co_await retire_others(*known, wanted);
}

async::Task<Result<FlowRecord>> Engine::new_flow(const FlowSpec& spec, const StreamRecord& stream,
                                                 const std::vector<FlowRecord>& known) {
  auto start = co_await start_seq(spec, stream);
  if (!start.ok()) co_return start.error();
  auto last = co_await options_.store.flows().meta(std::string(kLastFlowId));
  if (!last.ok()) co_return last.error();
  // Never the id of a flow that was removed: replays remember theirs.
  std::uint32_t id = last->has_value() ? static_cast<std::uint32_t>(std::stoul(**last)) : 0;
  for (const FlowRecord& other : known) id = std::max(id, other.id.value);
  ++id;
  FlowRecord record{
      .id = FlowId{id}, .name = spec.name, .identity = spec.name, .stream = stream.id};
  record.ordering_key = policy::recorded_key_rule(spec);
  record.cursor = Cursor{.floor = *start, .mark = *start};
  record.since = options_.clock.wall();
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::PutFlow{record});
  batch.mutations.emplace_back(ports::PutMeta{std::string(kLastFlowId), std::to_string(id)});
  auto receipt = co_await options_.store.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  co_return record;
}

async::Task<Result<FlowRecord>> Engine::register_flow(const FlowSpec& spec,
                                                      std::vector<FlowRecord>& known) {
  FlowRecord* found = find_record(known, spec, streams_, config_.flows);
  const StreamRecord* stream = find_stream(spec.stream);
  if (stream == nullptr)
    co_return Error{Code::unknown_stream, fmt::format("unknown stream '{}'", spec.stream), ""};
  if (found == nullptr) {
    auto made = co_await new_flow(spec, *stream, known);
    if (made.ok()) known.push_back(*made);
    co_return made;
  }
  const bool back = found->status == FlowStatus::removed;  // it goes on at its cursor
  const std::string key_rule = policy::recorded_key_rule(spec);
  const bool changed = back || found->name != spec.name || found->ordering_key != key_rule;
  if (back) {
    found->status = FlowStatus::active;
    found->reason.clear();
  }
  found->name = spec.name;
  found->ordering_key = key_rule;
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

Result<> Engine::add_flow(FlowSpec spec, FlowRecord record) {
  spec.key_secret = options_.redaction_secret;
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
