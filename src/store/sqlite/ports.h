// SPDX-License-Identifier: Apache-2.0
// The store's ports: each call becomes a question to a read thread or a batch for the storage
// thread.
#pragma once

#include "ports/store.h"
#include "store/sqlite/read_thread.h"
#include "store/sqlite/storage_thread.h"

namespace weir::store::sqlite {

class SqliteWriter final : public ports::Writer {
 public:
  explicit SqliteWriter(CommitQueue& queue) : queue_(queue) {}
  async::Task<Result<ports::Receipt>> commit(ports::WriteBatch batch) override;
  std::size_t pending_bytes() const override { return queue_.pending_bytes(); }

 private:
  CommitQueue& queue_;
};

// `fast` serves what delivery waits for, `slow` what people ask: a listing never delays an attempt.
class SqliteEventLog final : public ports::EventLog {
 public:
  SqliteEventLog(ReadThread& fast, ReadThread& slow, CommitQueue& queue)
      : fast_(fast), slow_(slow), queue_(queue) {}
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
  ReadThread& fast_;
  ReadThread& slow_;
  CommitQueue& queue_;
};

class SqliteDeliveryTable final : public ports::DeliveryTable {
 public:
  SqliteDeliveryTable(ReadThread& fast, ReadThread& slow) : fast_(fast), slow_(slow) {}
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
  ReadThread& fast_;
  ReadThread& slow_;
};

class SqliteFlowTable final : public ports::FlowTable {
 public:
  explicit SqliteFlowTable(ReadThread& slow) : slow_(slow) {}
  async::Task<Result<std::vector<FlowRecord>>> flows() override;
  async::Task<Result<std::vector<StreamRecord>>> streams() override;
  async::Task<Result<std::vector<ports::FlowCounts>>> counts() override;
  async::Task<Result<std::optional<std::string>>> meta(std::string key) override;
  async::Task<Result<std::vector<AccessToken>>> tokens() override;
  async::Task<Result<std::vector<Approval>>> approvals() override;

 private:
  ReadThread& slow_;
};

class SqliteRecoveryTable final : public ports::RecoveryTable {
 public:
  SqliteRecoveryTable(ReadThread& fast, ReadThread& slow) : fast_(fast), slow_(slow) {}
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
  ReadThread& fast_;
  ReadThread& slow_;
};

class SqliteEffectTable final : public ports::EffectTable {
 public:
  SqliteEffectTable(ReadThread& fast, ReadThread& slow) : fast_(fast), slow_(slow) {}
  async::Task<Result<std::optional<Effect>>> get(std::string key) override;
  async::Task<Result<std::optional<Effect>>> find(EffectId id) override;
  async::Task<Result<std::vector<Effect>>> list(ports::EffectQuery query) override;
  async::Task<Result<std::vector<Effect>>> of(std::vector<DeliveryRef> refs) override;
  async::Task<Result<std::vector<std::pair<std::string, std::uint64_t>>>> in_doubt() override;
  async::Task<Result<std::vector<std::pair<std::string, WallTime>>>> oldest_settled() override;

 private:
  ReadThread& fast_;
  ReadThread& slow_;
};

}  // namespace weir::store::sqlite
