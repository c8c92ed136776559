// SPDX-License-Identifier: Apache-2.0
// The store, as several small ports. Implementations: store/memory, store/sqlite. One contract
// suite runs on all (ports/testing/store_contract.h). Methods are called on one I/O thread and
// complete there; an implementation moves the work elsewhere. Nothing here assumes one process:
// whoever writes states what must still be true.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "ports/write_batch.h"

namespace weir::ports {

// The only way to write. Completes after the transaction is durable. Batches of one lane commit in
// call order; many batches share one transaction, yet a failed precondition undoes only its own
// batch. Errors: store_full (ingest lane only: try later), store_failed (sticky: stop acknowledging
// and leave the process).
class Writer {
 public:
  virtual ~Writer() = default;
  virtual async::Task<Result<Receipt>> commit(WriteBatch batch) = 0;
  // Bytes of AppendEvents accepted and not yet committed, for ingest's memory bound.
  virtual std::size_t pending_bytes() const = 0;
};

class EventLog {
 public:
  virtual ~EventLog() = default;
  // Up to max_events events with seq >= first in seq order, at least one if there is any, about
  // max_bytes in total.
  virtual async::Task<Result<std::vector<StoredEvent>>> read(StreamId stream, std::uint64_t first,
                                                             std::size_t max_events,
                                                             std::size_t max_bytes) = 0;
  // The events of these deliveries, from the log or from their own copy; missing ones are left out.
  // At most 1024.
  virtual async::Task<Result<std::vector<StoredEvent>>> fetch(std::vector<DeliveryRef> refs) = 0;
  // Events kept for open deliveries of a flow after retention trimmed the log, in position order,
  // from `first` on.
  virtual async::Task<Result<std::vector<StoredEvent>>> read_kept(FlowId flow, Position first,
                                                                  std::size_t max_events) = 0;
  // Within the dedupe window: the place of an event by source and id; nullopt if unknown there.
  virtual async::Task<Result<std::optional<Position>>> find(StreamId stream, std::string source,
                                                            std::string id) = 0;
  // Places of events with this id, any source, that the store can find: open and settled rows, and
  // the newest `scan` events of each stream. At most 16.
  virtual async::Task<Result<std::vector<Position>>> find_id(std::string id, std::size_t scan) = 0;
  // The first seq recorded at or after `time` (next_seq if none).
  virtual async::Task<Result<std::uint64_t>> seek(StreamId stream, WallTime time) = 0;
};

struct DeliveryQuery {
  std::optional<FlowId> flow;
  std::optional<DeliveryState> state;
  std::optional<FailureClass> failure;
  std::optional<GroupId> group;
  std::optional<WallTime> since;  // changed_at
  std::optional<WallTime> until;
  std::string key;          // empty = any
  DeliveryRef after;        // keyset: rows after this one in (flow, position) order
  std::size_t limit = 100;  // at most 1000
};

struct DueEntry {
  DeliveryRef ref;
  DeliveryState state =
      DeliveryState::waiting;  // waiting or ready; inFlight ones are interruptions
  WallTime due{};
  ReplayId replay;
  std::uint32_t interruptions = 0;
  bool has_key = false;
  FailureClass failure = FailureClass::ok;  // of the last attempt
  WallTime deadline{};                      // epoch zero = none
};

class DeliveryTable {
 public:
  virtual ~DeliveryTable() = default;
  virtual async::Task<Result<std::optional<Delivery>>> get(DeliveryRef ref) = 0;
  // Missing ones are left out. At most 1024.
  virtual async::Task<Result<std::vector<Delivery>>> get_many(std::vector<DeliveryRef> refs) = 0;
  virtual async::Task<Result<std::vector<Delivery>>> list(DeliveryQuery query) = 0;
  virtual async::Task<Result<std::uint64_t>> count(DeliveryQuery query) = 0;
  // The newest revision of each that was edited. At most 1024.
  virtual async::Task<Result<std::vector<Revision>>> newest_revisions(
      std::vector<DeliveryRef> refs) = 0;
  // All of one delivery, the first edit first.
  virtual async::Task<Result<std::vector<Revision>>> revisions(DeliveryRef ref) = 0;
  // All rows of a flow in ready, inFlight or waiting, in position order, after `after`; at most
  // limit.
  virtual async::Task<Result<std::vector<DueEntry>>> due(FlowId flow, Position after,
                                                         std::size_t limit) = 0;
  virtual async::Task<Result<std::vector<Hold>>> holds(FlowId flow) = 0;
  // The settlement of one event in a flow, with its time; nullopt if it has none.
  virtual async::Task<Result<std::optional<std::pair<Settlement, WallTime>>>> settlement(
      FlowId flow, Position position) = 0;
  // The settlements of a flow with first <= seq < first + count (at most 10'000), in seq order,
  // with their times.
  virtual async::Task<Result<std::vector<std::pair<Settlement, WallTime>>>> settlements(
      FlowId flow, Position first, std::size_t count) = 0;
};

struct FlowCounts {
  FlowId flow;
  std::uint64_t waiting = 0;  // rows in waiting, ready or inFlight
  std::uint64_t quarantined = 0;
  std::uint64_t held = 0;     // events behind holds
  std::uint64_t settled = 0;  // rows done, resolved or discarded
};

class FlowTable {
 public:
  virtual ~FlowTable() = default;
  virtual async::Task<Result<std::vector<FlowRecord>>> flows() = 0;  // cursors included
  virtual async::Task<Result<std::vector<StreamRecord>>> streams() = 0;
  virtual async::Task<Result<std::vector<FlowCounts>>> counts() = 0;
  virtual async::Task<Result<std::optional<std::string>>> meta(std::string key) = 0;
  virtual async::Task<Result<std::vector<AccessToken>>> tokens() = 0;  // by id
  virtual async::Task<Result<std::vector<Approval>>> approvals() = 0;  // by id
};

struct GroupQuery {
  bool with_closed = false;  // those without open members too
  bool with_keys = false;    // fills Group::keys, for which the members are read
  std::string hash_prefix;   // empty = any
  // Keyset: those that were made before this one, the newest first. Without it, those with the
  // newest activity come first.
  std::optional<GroupId> before;
  std::size_t limit = 1000;  // at most 1000
};

class RecoveryTable {
 public:
  virtual ~RecoveryTable() = default;
  virtual async::Task<Result<std::vector<Group>>> groups(GroupQuery query) = 0;
  virtual async::Task<Result<std::optional<Group>>> group(GroupId id) = 0;  // without its keys
  virtual async::Task<Result<std::vector<Replay>>>
  replays() = 0;  // unfinished, then newest first; at most 200
  virtual async::Task<Result<std::optional<Replay>>> replay(ReplayId id) = 0;
  // Items in (flow, position) order, so that the predecessors of a key come first.
  virtual async::Task<Result<std::vector<ReplayItem>>> items(ReplayId id,
                                                             std::optional<ItemState> state,
                                                             DeliveryRef after,
                                                             std::size_t limit) = 0;
  // The unfinished replay that a delivery belongs to, if any.
  virtual async::Task<Result<std::optional<ReplayId>>> replay_of(DeliveryRef ref) = 0;
  virtual async::Task<Result<std::vector<AuditEntry>>> audit(
      std::uint64_t before_number, std::size_t limit) = 0;  // newest first
};

struct EffectQuery {
  std::optional<EffectState> state;
  std::optional<FlowId> flow;
  std::string dependency;            // empty = any
  std::optional<EffectId> before{};  // keyset: older than this one
  std::size_t limit = 100;           // at most 1000
};

// The ledger.
class EffectTable {
 public:
  virtual ~EffectTable() = default;
  virtual async::Task<Result<std::optional<Effect>>> get(std::string key) = 0;
  virtual async::Task<Result<std::optional<Effect>>> find(EffectId id) = 0;
  // Newest first; of what was answered the status only.
  virtual async::Task<Result<std::vector<Effect>>> list(EffectQuery query) = 0;
  // Of these deliveries, by delivery and then by age, without what was answered. At most 1024
  // deliveries.
  virtual async::Task<Result<std::vector<Effect>>> of(std::vector<DeliveryRef> refs) = 0;
  // How many are in doubt, by dependency; those without any are left out.
  virtual async::Task<Result<std::vector<std::pair<std::string, std::uint64_t>>>> in_doubt() = 0;
  // When the oldest settled one last changed, by dependency; those without any are left out.
  virtual async::Task<Result<std::vector<std::pair<std::string, WallTime>>>> oldest_settled() = 0;
};

struct StoreStatus {
  std::string kind;  // "sqlite", "memory"
  std::uint32_t format = 0;
  std::uint64_t incarnation = 1;  // one more after each restore from a backup
  std::uint64_t bytes = 0;        // on disk
  std::uint64_t events = 0;       // approximate: next_seq - first_seq over all streams
  bool full = false;              // ingest refuses for want of space
  std::uint64_t commits = 0;
  std::uint64_t batches = 0;  // commits / batches = group size
  Duration sync_p50{};        // of the commits of the last minutes
  Duration sync_p99{};
  std::string master_key;         // id of the one that new data keys are wrapped by; empty = none
  bool rotation_pending = false;  // some data keys are wrapped by another one
};

// Owns everything above. Destroying it ends its threads after what was accepted is committed.
class Store {
 public:
  virtual ~Store() = default;
  virtual Writer& writer() = 0;
  virtual EventLog& events() = 0;
  virtual DeliveryTable& deliveries() = 0;
  virtual FlowTable& flows() = 0;
  virtual RecoveryTable& recovery() = 0;
  virtual EffectTable& effects() = 0;
  virtual async::Task<StoreStatus> info() = 0;
};

}  // namespace weir::ports
