// SPDX-License-Identifier: Apache-2.0
#include "store/memory/ports.h"

#include <algorithm>
#include <ranges>

#include "store/memory/apply.h"
#include "store/memory/reads.h"
#include "store/records/read_limits.h"

namespace weir::store::memory {
namespace {

using namespace ports;

template <class T>
Result<T> too_many() {
  return Error{Code::invalid_argument, "more than 1024 references in one call", ""};
}

template <class Map>
std::optional<typename Map::mapped_type> copy_of(const Map& map,
                                                 const typename Map::key_type& key) {
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

}  // namespace

Result<Receipt> MemoryWriter::commit_now(WriteBatch batch) {
  const Error failed{Code::store_failed, "injected", ""};
  if (core_.failed) return failed;
  if (std::exchange(core_.faults->fail_next_commit, false)) {
    core_.failed = true;
    return failed;
  }
  if (core_.faults->full && batch.lane == Lane::ingest)
    return Error{Code::store_full, "injected", ""};
  auto receipt = apply_batch(core_.tables, batch);
  if (receipt.ok()) hand_back(batch, *receipt);
  ++core_.commits;
  if (!std::exchange(core_.faults->lose_next_reply, false)) return receipt;
  core_.failed = true;
  return failed;
}

async::Task<Result<Receipt>> MemoryWriter::commit(WriteBatch batch) {
  co_return co_await core_.later(commit_now(std::move(batch)));
}

async::Task<Result<std::vector<StoredEvent>>> MemoryEventLog::read(StreamId stream,
                                                                   std::uint64_t first,
                                                                   std::size_t max_events,
                                                                   std::size_t max_bytes) {
  co_return co_await core_.later(read_events(core_.tables, stream, first, max_events, max_bytes));
}

async::Task<Result<std::vector<StoredEvent>>> MemoryEventLog::fetch(std::vector<DeliveryRef> refs) {
  if (refs.size() > kFetchMax) co_return too_many<std::vector<StoredEvent>>();
  co_return co_await core_.later(fetch_events(core_.tables, refs));
}

async::Task<Result<std::vector<StoredEvent>>> MemoryEventLog::read_kept(FlowId flow, Position first,
                                                                        std::size_t max_events) {
  co_return co_await core_.later(memory::read_kept(core_.tables, flow, first, max_events));
}

async::Task<Result<std::optional<Position>>> MemoryEventLog::find(StreamId stream,
                                                                  std::string source,
                                                                  std::string id) {
  co_return co_await core_.later(find_event(core_.tables, stream, source, id));
}

async::Task<Result<std::vector<Position>>> MemoryEventLog::find_id(std::string id,
                                                                   std::size_t scan) {
  co_return co_await core_.later(memory::find_id(core_.tables, id, scan));
}

async::Task<Result<std::uint64_t>> MemoryEventLog::seek(StreamId stream, WallTime time) {
  co_return co_await core_.later(memory::seek(core_.tables, stream, time));
}

async::Task<Result<std::optional<Delivery>>> MemoryDeliveryTable::get(DeliveryRef ref) {
  co_return co_await core_.later(copy_of(core_.tables.deliveries, ref));
}

async::Task<Result<std::vector<Delivery>>> MemoryDeliveryTable::get_many(
    std::vector<DeliveryRef> refs) {
  if (refs.size() > kFetchMax) co_return too_many<std::vector<Delivery>>();
  std::vector<Delivery> rows;
  for (const DeliveryRef ref : refs) {
    if (auto row = copy_of(core_.tables.deliveries, ref)) rows.push_back(std::move(*row));
  }
  co_return co_await core_.later(std::move(rows));
}

async::Task<Result<std::vector<Revision>>> MemoryDeliveryTable::newest_revisions(
    std::vector<DeliveryRef> refs) {
  if (refs.size() > kFetchMax) co_return too_many<std::vector<Revision>>();
  std::vector<Revision> newest;
  for (const DeliveryRef ref : refs) {
    const auto found = core_.tables.revisions.find(ref);
    if (found != core_.tables.revisions.end()) newest.push_back(found->second.back());
  }
  co_return co_await core_.later(std::move(newest));
}

async::Task<Result<std::vector<Revision>>> MemoryDeliveryTable::revisions(DeliveryRef ref) {
  co_return co_await core_.later(
      copy_of(core_.tables.revisions, ref).value_or(std::vector<Revision>{}));
}

async::Task<Result<std::vector<Delivery>>> MemoryDeliveryTable::list(DeliveryQuery query) {
  co_return co_await core_.later(list_deliveries(core_.tables, query));
}

async::Task<Result<std::uint64_t>> MemoryDeliveryTable::count(DeliveryQuery query) {
  co_return co_await core_.later(count_deliveries(core_.tables, query));
}

async::Task<Result<std::vector<DueEntry>>> MemoryDeliveryTable::due(FlowId flow, Position after,
                                                                    std::size_t limit) {
  co_return co_await core_.later(due_entries(core_.tables, flow, after, limit));
}

async::Task<Result<std::vector<Hold>>> MemoryDeliveryTable::holds(FlowId flow) {
  co_return co_await core_.later(holds_of(core_.tables, flow));
}

async::Task<Result<std::optional<std::pair<Settlement, WallTime>>>> MemoryDeliveryTable::settlement(
    FlowId flow, Position position) {
  const auto log = core_.tables.streams.find(position.stream);
  const bool trimmed = log != core_.tables.streams.end() &&
                       position.seq < log->second.record.first_seq;
  if (trimmed) co_return std::optional<std::pair<Settlement, WallTime>>();
  co_return co_await core_.later(copy_of(core_.tables.settlements, std::pair(flow, position.seq)));
}

async::Task<Result<std::vector<std::pair<Settlement, WallTime>>>> MemoryDeliveryTable::settlements(
    FlowId flow, Position first, std::size_t count) {
  co_return co_await core_.later(settlements_of(core_.tables, flow, first, count));
}

async::Task<Result<std::vector<FlowRecord>>> MemoryFlowTable::flows() {
  std::vector<FlowRecord> list;
  for (const auto& [id, flow] : core_.tables.flows) list.push_back(flow);
  co_return co_await core_.later(std::move(list));
}

async::Task<Result<std::vector<StreamRecord>>> MemoryFlowTable::streams() {
  std::vector<StreamRecord> list;
  for (const auto& [id, log] : core_.tables.streams) list.push_back(log.record);
  co_return co_await core_.later(std::move(list));
}

async::Task<Result<std::vector<FlowCounts>>> MemoryFlowTable::counts() {
  co_return co_await core_.later(count_flows(core_.tables));
}

async::Task<Result<std::optional<std::string>>> MemoryFlowTable::meta(std::string key) {
  co_return co_await core_.later(copy_of(core_.tables.meta, key));
}

async::Task<Result<std::vector<Approval>>> MemoryFlowTable::approvals() {
  std::vector<Approval> list;
  for (const auto& [id, approval] : core_.tables.approvals) list.push_back(approval);
  co_return list;
}

async::Task<Result<std::vector<AccessToken>>> MemoryFlowTable::tokens() {
  std::vector<AccessToken> list;
  for (const auto& [id, token] : core_.tables.tokens) list.push_back(token);
  co_return co_await core_.later(std::move(list));
}

async::Task<Result<std::vector<Group>>> MemoryRecoveryTable::groups(GroupQuery query) {
  co_return co_await core_.later(list_groups(core_.tables, query));
}

async::Task<Result<std::optional<Group>>> MemoryRecoveryTable::group(GroupId id) {
  co_return co_await core_.later(copy_of(core_.tables.groups, id));
}

async::Task<Result<std::vector<Replay>>> MemoryRecoveryTable::replays() {
  std::vector<Replay> list;
  for (const bool over : {false, true}) {
    for (const auto& [id, replay] : core_.tables.replays | std::views::reverse) {
      if (is_over(replay.state) == over) list.push_back(replay);
    }
  }
  list.resize(std::min(list.size(), kReplaysMax));
  co_return co_await core_.later(std::move(list));
}

async::Task<Result<std::optional<Replay>>> MemoryRecoveryTable::replay(ReplayId id) {
  co_return co_await core_.later(copy_of(core_.tables.replays, id));
}

async::Task<Result<std::vector<ReplayItem>>> MemoryRecoveryTable::items(
    ReplayId id, std::optional<ItemState> state, DeliveryRef after, std::size_t limit) {
  co_return co_await core_.later(replay_items(core_.tables, id, state, after, limit));
}

async::Task<Result<std::optional<ReplayId>>> MemoryRecoveryTable::replay_of(DeliveryRef ref) {
  co_return co_await core_.later(open_replay_of(core_.tables, ref));
}

async::Task<Result<std::vector<AuditEntry>>> MemoryRecoveryTable::audit(std::uint64_t before_number,
                                                                        std::size_t limit) {
  co_return co_await core_.later(audit_before(core_.tables, before_number, limit));
}

async::Task<Result<std::optional<Effect>>> MemoryEffectTable::get(std::string key) {
  co_return co_await core_.later(get_effect(core_.tables, key));
}

async::Task<Result<std::optional<Effect>>> MemoryEffectTable::find(EffectId id) {
  co_return co_await core_.later(copy_of(core_.tables.effects, id));
}

async::Task<Result<std::vector<Effect>>> MemoryEffectTable::list(EffectQuery query) {
  co_return co_await core_.later(list_effects(core_.tables, query));
}

async::Task<Result<std::vector<Effect>>> MemoryEffectTable::of(std::vector<DeliveryRef> refs) {
  co_return co_await core_.later(effects_of(core_.tables, refs));
}

async::Task<Result<std::vector<std::pair<std::string, std::uint64_t>>>>
MemoryEffectTable::in_doubt() {
  co_return co_await core_.later(effects_in_doubt(core_.tables));
}

async::Task<Result<std::vector<std::pair<std::string, WallTime>>>>
MemoryEffectTable::oldest_settled() {
  co_return co_await core_.later(oldest_settled_effects(core_.tables));
}

}  // namespace weir::store::memory
