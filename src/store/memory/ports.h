// SPDX-License-Identifier: Apache-2.0
// The store's ports over the tables.
#pragma once

#include "ports/store.h"
#include "store/memory/core.h"

namespace weir::store::memory {

class MemoryWriter final : public ports::Writer {
 public:
  explicit MemoryWriter(Core& core) : core_(core) {}
  async::Task<Result<ports::Receipt>> commit(ports::WriteBatch batch) override;
  std::size_t pending_bytes() const override { return 0; }

 private:
  Result<ports::Receipt> commit_now(ports::WriteBatch batch);
  Core& core_;
};

class MemoryEventLog final : public ports::EventLog {
 public:
  explicit MemoryEventLog(Core& core) : core_(core) {}
  async::Task<Result<std::vector<StoredEvent>>> read(StreamId stream, std::uint64_t first,
                                                     std::size_t max_events,
                                                     std::size_t max_bytes) override;
  async::Task<Result<std::vector<StoredEvent>>> fetch(std::vector<DeliveryRef> refs) override;
  async::Task<Result<std::vector<StoredEvent>>> read_kept(FlowId flow, Position first,
                                                          std::size_t max_events) override;
  async::Task<Result<std::optional<Position>>> find(StreamId stream, std::string source,
                                                    std::string id) override;
  async::Task<Result<std::vector<Position>>> find_id(std::string id, std::size_t scan) override;
  async::Task<Result<std::uint64_t>> seek(StreamId stream, WallTime time) override;

 private:
  Core& core_;
};

class MemoryDeliveryTable final : public ports::DeliveryTable {
 public:
  explicit MemoryDeliveryTable(Core& core) : core_(core) {}
  async::Task<Result<std::optional<Delivery>>> get(DeliveryRef ref) override;
  async::Task<Result<std::vector<Delivery>>> get_many(std::vector<DeliveryRef> refs) override;
  async::Task<Result<std::vector<Delivery>>> list(ports::DeliveryQuery query) override;
  async::Task<Result<std::uint64_t>> count(ports::DeliveryQuery query) override;
  async::Task<Result<std::vector<Revision>>> newest_revisions(
      std::vector<DeliveryRef> refs) override;
  async::Task<Result<std::vector<Revision>>> revisions(DeliveryRef ref) override;
  async::Task<Result<std::vector<ports::DueEntry>>> due(FlowId flow, Position after,
                                                        std::size_t limit) override;
  async::Task<Result<std::vector<Hold>>> holds(FlowId flow) override;
  async::Task<Result<std::optional<std::pair<Settlement, WallTime>>>> settlement(
      FlowId flow, Position position) override;
  async::Task<Result<std::vector<std::pair<Settlement, WallTime>>>> settlements(
      FlowId flow, Position first, std::size_t count) override;

 private:
  Core& core_;
};

class MemoryFlowTable final : public ports::FlowTable {
 public:
  explicit MemoryFlowTable(Core& core) : core_(core) {}
  async::Task<Result<std::vector<FlowRecord>>> flows() override;
  async::Task<Result<std::vector<StreamRecord>>> streams() override;
  async::Task<Result<std::vector<ports::FlowCounts>>> counts() override;
  async::Task<Result<std::optional<std::string>>> meta(std::string key) override;
  async::Task<Result<std::vector<AccessToken>>> tokens() override;
  async::Task<Result<std::vector<Approval>>> approvals() override;

 private:
  Core& core_;
};

class MemoryRecoveryTable final : public ports::RecoveryTable {
 public:
  explicit MemoryRecoveryTable(Core& core) : core_(core) {}
  async::Task<Result<std::vector<Group>>> groups(ports::GroupQuery query) override;
  async::Task<Result<std::optional<Group>>> group(GroupId id) override;
  async::Task<Result<std::vector<Replay>>> replays() override;
  async::Task<Result<std::optional<Replay>>> replay(ReplayId id) override;
  async::Task<Result<std::vector<ReplayItem>>> items(ReplayId id, std::optional<ItemState> state,
                                                     DeliveryRef after, std::size_t limit) override;
  async::Task<Result<std::optional<ReplayId>>> replay_of(DeliveryRef ref) override;
  async::Task<Result<std::vector<AuditEntry>>> audit(std::uint64_t before_number,
                                                     std::size_t limit) override;

 private:
  Core& core_;
};

class MemoryEffectTable final : public ports::EffectTable {
 public:
  explicit MemoryEffectTable(Core& core) : core_(core) {}
  async::Task<Result<std::optional<Effect>>> get(std::string key) override;
  async::Task<Result<std::optional<Effect>>> find(EffectId id) override;
  async::Task<Result<std::vector<Effect>>> list(ports::EffectQuery query) override;
  async::Task<Result<std::vector<Effect>>> of(std::vector<DeliveryRef> refs) override;
  async::Task<Result<std::vector<std::pair<std::string, std::uint64_t>>>> in_doubt() override;
  async::Task<Result<std::vector<std::pair<std::string, WallTime>>>> oldest_settled() override;

 private:
  Core& core_;
};

}  // namespace weir::store::memory
