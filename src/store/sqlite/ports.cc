// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/ports.h"

#include "ports/dedupe_hash.h"
#include "store/records/read_limits.h"

namespace weir::store::sqlite {

using namespace ports;

namespace {

Error too_many() {
  return Error{Code::invalid_argument, "more than 1024 references in one call", ""};
}

}  // namespace

async::Task<Result<Receipt>> SqliteWriter::commit(WriteBatch batch) {
  co_return co_await async::complete_with<Result<Receipt>>(
      [this, batch = std::move(batch)](async::Completion<Result<Receipt>> done) mutable {
        queue_.push(std::move(batch), std::move(done));
      });
}

async::Task<Result<std::vector<StoredEvent>>> SqliteEventLog::read(StreamId stream,
                                                                   std::uint64_t first,
                                                                   std::size_t max_events,
                                                                   std::size_t max_bytes) {
  return fast_.ask<std::vector<StoredEvent>>(
      [=](ReadSide& side) { return read_events(side, stream, first, max_events, max_bytes); });
}

async::Task<Result<std::vector<StoredEvent>>> SqliteEventLog::fetch(std::vector<DeliveryRef> refs) {
  if (refs.size() > kFetchMax) co_return too_many();
  co_return co_await fast_.ask<std::vector<StoredEvent>>(
      [refs = std::move(refs)](ReadSide& side) { return fetch_events(side, refs); });
}

async::Task<Result<std::vector<StoredEvent>>> SqliteEventLog::read_kept(FlowId flow, Position first,
                                                                        std::size_t max_events) {
  return fast_.ask<std::vector<StoredEvent>>(
      [=](ReadSide& side) { return sqlite::read_kept(side, flow, first, max_events); });
}

// The table that knows candidates belongs to the storage thread; the events are compared on a read
// thread.
async::Task<Result<std::optional<Position>>> SqliteEventLog::find(StreamId stream,
                                                                  std::string source,
                                                                  std::string id) {
  const std::uint64_t hash = dedupe_hash(source, id);
  const auto candidates = co_await async::complete_with<std::vector<std::uint64_t>>(
      [this, stream, hash](async::Completion<std::vector<std::uint64_t>> done) {
        queue_.ask([stream, hash, done = std::move(done)](WriteSide& side) mutable {
          const auto entry = side.streams.find(stream);
          done(entry == side.streams.end() ? std::vector<std::uint64_t>()
                                           : entry->second.dedupe.find(hash));
        });
      });
  co_return co_await slow_.ask<std::optional<Position>>(
      [=](ReadSide& side) -> Result<std::optional<Position>> {
        for (const std::uint64_t seq : candidates) {
          WEIR_TRY(const auto found, event_at(side, Position{stream, 0, seq}, source, id));
          if (found) return found;
        }
        return std::optional<Position>();
      });
}

async::Task<Result<std::vector<Position>>> SqliteEventLog::find_id(std::string id,
                                                                   std::size_t scan) {
  return slow_.ask<std::vector<Position>>(
      [id = std::move(id), scan](ReadSide& side) { return sqlite::find_id(side, id, scan); });
}

async::Task<Result<std::uint64_t>> SqliteEventLog::seek(StreamId stream, WallTime time) {
  return slow_.ask<std::uint64_t>(
      [=](ReadSide& side) { return sqlite::seek(side.db, stream, time); });
}

async::Task<Result<std::optional<Delivery>>> SqliteDeliveryTable::get(DeliveryRef ref) {
  return fast_.ask<std::optional<Delivery>>(
      [=](ReadSide& side) { return get_delivery(side, ref); });
}

async::Task<Result<std::vector<Delivery>>> SqliteDeliveryTable::get_many(
    std::vector<DeliveryRef> refs) {
  if (refs.size() > kFetchMax) co_return too_many();
  co_return co_await fast_.ask<std::vector<Delivery>>(
      [refs = std::move(refs)](ReadSide& side) { return get_deliveries(side, refs); });
}

async::Task<Result<std::vector<Revision>>> SqliteDeliveryTable::newest_revisions(
    std::vector<DeliveryRef> refs) {
  if (refs.size() > kFetchMax) co_return too_many();
  co_return co_await fast_.ask<std::vector<Revision>>(
      [refs = std::move(refs)](ReadSide& side) { return sqlite::newest_revisions(side, refs); });
}

async::Task<Result<std::vector<Revision>>> SqliteDeliveryTable::revisions(DeliveryRef ref) {
  return slow_.ask<std::vector<Revision>>([=](ReadSide& side) { return revisions_of(side, ref); });
}

async::Task<Result<std::vector<Delivery>>> SqliteDeliveryTable::list(DeliveryQuery query) {
  return slow_.ask<std::vector<Delivery>>(
      [query = std::move(query)](ReadSide& side) { return list_deliveries(side, query); });
}

async::Task<Result<std::uint64_t>> SqliteDeliveryTable::count(DeliveryQuery query) {
  return slow_.ask<std::uint64_t>(
      [query = std::move(query)](ReadSide& side) { return count_deliveries(side, query); });
}

async::Task<Result<std::vector<DueEntry>>> SqliteDeliveryTable::due(FlowId flow, Position after,
                                                                    std::size_t limit) {
  return fast_.ask<std::vector<DueEntry>>(
      [=](ReadSide& side) { return due_entries(side.db, flow, after, limit); });
}

async::Task<Result<std::vector<Hold>>> SqliteDeliveryTable::holds(FlowId flow) {
  return fast_.ask<std::vector<Hold>>([=](ReadSide& side) { return holds_of(side, flow); });
}

async::Task<Result<std::optional<std::pair<Settlement, WallTime>>>> SqliteDeliveryTable::settlement(
    FlowId flow, Position position) {
  return slow_.ask<std::optional<std::pair<Settlement, WallTime>>>(
      [=](ReadSide& side) { return settlement_of(side.db, flow, position); });
}

async::Task<Result<std::vector<std::pair<Settlement, WallTime>>>> SqliteDeliveryTable::settlements(
    FlowId flow, Position first, std::size_t count) {
  return slow_.ask<std::vector<std::pair<Settlement, WallTime>>>(
      [=](ReadSide& side) { return settlements_of(side.db, flow, first, count); });
}

async::Task<Result<std::vector<FlowRecord>>> SqliteFlowTable::flows() {
  return slow_.ask<std::vector<FlowRecord>>([](ReadSide& side) { return list_flows(side.db); });
}

async::Task<Result<std::vector<StreamRecord>>> SqliteFlowTable::streams() {
  return slow_.ask<std::vector<StreamRecord>>([](ReadSide& side) { return list_streams(side.db); });
}

async::Task<Result<std::vector<FlowCounts>>> SqliteFlowTable::counts() {
  return slow_.ask<std::vector<FlowCounts>>([](ReadSide& side) { return count_flows(side.db); });
}

async::Task<Result<std::optional<std::string>>> SqliteFlowTable::meta(std::string key) {
  return slow_.ask<std::optional<std::string>>(
      [key = std::move(key)](ReadSide& side) { return read_meta(side, key); });
}

async::Task<Result<std::vector<Approval>>> SqliteFlowTable::approvals() {
  return slow_.ask<std::vector<Approval>>([](ReadSide& side) { return list_approvals(side.db); });
}

async::Task<Result<std::vector<AccessToken>>> SqliteFlowTable::tokens() {
  return slow_.ask<std::vector<AccessToken>>([](ReadSide& side) { return list_tokens(side.db); });
}

async::Task<Result<std::vector<Group>>> SqliteRecoveryTable::groups(GroupQuery query) {
  return slow_.ask<std::vector<Group>>(
      [query = std::move(query)](ReadSide& side) { return list_groups(side, query); });
}

async::Task<Result<std::optional<Group>>> SqliteRecoveryTable::group(GroupId id) {
  return fast_.ask<std::optional<Group>>([=](ReadSide& side) { return get_group(side, id); });
}

async::Task<Result<std::vector<Replay>>> SqliteRecoveryTable::replays() {
  return slow_.ask<std::vector<Replay>>([](ReadSide& side) { return list_replays(side); });
}

async::Task<Result<std::optional<Replay>>> SqliteRecoveryTable::replay(ReplayId id) {
  return fast_.ask<std::optional<Replay>>([=](ReadSide& side) { return get_replay(side, id); });
}

async::Task<Result<std::vector<ReplayItem>>> SqliteRecoveryTable::items(
    ReplayId id, std::optional<ItemState> state, DeliveryRef after, std::size_t limit) {
  return fast_.ask<std::vector<ReplayItem>>(
      [=](ReadSide& side) { return replay_items(side.db, id, state, after, limit); });
}

async::Task<Result<std::optional<ReplayId>>> SqliteRecoveryTable::replay_of(DeliveryRef ref) {
  return fast_.ask<std::optional<ReplayId>>(
      [=](ReadSide& side) { return open_replay_of(side.db, ref); });
}

async::Task<Result<std::vector<AuditEntry>>> SqliteRecoveryTable::audit(std::uint64_t before_number,
                                                                        std::size_t limit) {
  return slow_.ask<std::vector<AuditEntry>>(
      [=](ReadSide& side) { return audit_before(side.db, before_number, limit); });
}

async::Task<Result<std::optional<Effect>>> SqliteEffectTable::get(std::string key) {
  return fast_.ask<std::optional<Effect>>(
      [key = std::move(key)](ReadSide& side) { return get_effect(side, key); });
}

async::Task<Result<std::optional<Effect>>> SqliteEffectTable::find(EffectId id) {
  return fast_.ask<std::optional<Effect>>([=](ReadSide& side) { return find_effect(side, id); });
}

async::Task<Result<std::vector<Effect>>> SqliteEffectTable::list(EffectQuery query) {
  return slow_.ask<std::vector<Effect>>(
      [query = std::move(query)](ReadSide& side) { return list_effects(side, query); });
}

async::Task<Result<std::vector<Effect>>> SqliteEffectTable::of(std::vector<DeliveryRef> refs) {
  return slow_.ask<std::vector<Effect>>(
      [refs = std::move(refs)](ReadSide& side) { return effects_of(side, refs); });
}

async::Task<Result<std::vector<std::pair<std::string, std::uint64_t>>>>
SqliteEffectTable::in_doubt() {
  return slow_.ask<std::vector<std::pair<std::string, std::uint64_t>>>(
      [](ReadSide& side) { return effects_in_doubt(side); });
}

async::Task<Result<std::vector<std::pair<std::string, WallTime>>>>
SqliteEffectTable::oldest_settled() {
  return slow_.ask<std::vector<std::pair<std::string, WallTime>>>(
      [](ReadSide& side) { return oldest_settled_effects(side); });
}

}  // namespace weir::store::sqlite
