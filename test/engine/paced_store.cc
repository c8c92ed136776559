// SPDX-License-Identifier: Apache-2.0
#include "paced_store.h"

namespace weir::engine_test {
namespace {

using namespace ports;

constexpr Duration kUntilTheLast = std::chrono::hours{1};  // of those that share a transaction

template <class T>
async::Task<T> in_turn(Pace& pace, async::Task<T> operation) {
  (void)co_await pace.turn(Turn::read);
  T result = co_await std::move(operation);
  pace.ended();
  co_await pace.answer(Turn::read);
  co_return result;
}

template <class T>
using Answer = async::Task<Result<T>>;

struct PacedWriter final : Writer {
  PacedWriter(Writer& to, EventLog& with_events, Pace& with)
      : inner(to), events(with_events), pace(with) {}
  Answer<Receipt> commit(WriteBatch batch) override {
    const bool followed = co_await pace.turn(Turn::commit);
    batch.patience = followed ? kUntilTheLast : Duration{};
    auto receipt = co_await inner.commit(std::move(batch));
    // The thread that commits may write the log back into the database after it has answered. It is
    // the one that `find` asks first, so when that is answered it has ended, too.
    (void)co_await events.find(StreamId{1}, "nobody", "nothing");
    pace.ended();
    co_await pace.answer(Turn::commit);
    co_return receipt;
  }
  std::size_t pending_bytes() const override { return inner.pending_bytes(); }
  Writer& inner;
  EventLog& events;
  Pace& pace;
};

struct PacedEvents final : EventLog {
  PacedEvents(EventLog& to, Pace& with) : inner(to), pace(with) {}
  Answer<std::vector<StoredEvent>> read(StreamId stream, std::uint64_t first, std::size_t events,
                                        std::size_t bytes) override {
    return in_turn(pace, inner.read(stream, first, events, bytes));
  }
  Answer<std::vector<StoredEvent>> fetch(std::vector<DeliveryRef> refs) override {
    return in_turn(pace, inner.fetch(std::move(refs)));
  }
  Answer<std::vector<StoredEvent>> read_kept(FlowId flow, Position first,
                                             std::size_t events) override {
    return in_turn(pace, inner.read_kept(flow, first, events));
  }
  Answer<std::optional<Position>> find(StreamId stream, std::string source,
                                       std::string id) override {
    return in_turn(pace, inner.find(stream, std::move(source), std::move(id)));
  }
  Answer<std::vector<Position>> find_id(std::string id, std::size_t scan) override {
    return in_turn(pace, inner.find_id(std::move(id), scan));
  }
  Answer<std::uint64_t> seek(StreamId stream, WallTime time) override {
    return in_turn(pace, inner.seek(stream, time));
  }
  EventLog& inner;
  Pace& pace;
};

struct PacedDeliveries final : DeliveryTable {
  PacedDeliveries(DeliveryTable& to, Pace& with) : inner(to), pace(with) {}
  Answer<std::optional<Delivery>> get(DeliveryRef ref) override {
    return in_turn(pace, inner.get(ref));
  }
  Answer<std::vector<Delivery>> get_many(std::vector<DeliveryRef> refs) override {
    return in_turn(pace, inner.get_many(std::move(refs)));
  }
  Answer<std::vector<Delivery>> list(DeliveryQuery query) override {
    return in_turn(pace, inner.list(std::move(query)));
  }
  Answer<std::uint64_t> count(DeliveryQuery query) override {
    return in_turn(pace, inner.count(std::move(query)));
  }
  Answer<std::vector<DueEntry>> due(FlowId flow, Position after, std::size_t limit) override {
    return in_turn(pace, inner.due(flow, after, limit));
  }
  Answer<std::vector<Hold>> holds(FlowId flow) override { return in_turn(pace, inner.holds(flow)); }
  Answer<std::optional<std::pair<Settlement, WallTime>>> settlement(FlowId flow,
                                                                    Position position) override {
    return in_turn(pace, inner.settlement(flow, position));
  }
  Answer<std::vector<std::pair<Settlement, WallTime>>> settlements(FlowId flow, Position first,
                                                                   std::size_t count) override {
    return in_turn(pace, inner.settlements(flow, first, count));
  }
  Answer<std::vector<Revision>> newest_revisions(std::vector<DeliveryRef> refs) override {
    return in_turn(pace, inner.newest_revisions(std::move(refs)));
  }
  Answer<std::vector<Revision>> revisions(DeliveryRef ref) override {
    return in_turn(pace, inner.revisions(ref));
  }
  DeliveryTable& inner;
  Pace& pace;
};

struct PacedFlows final : FlowTable {
  PacedFlows(FlowTable& to, Pace& with) : inner(to), pace(with) {}
  Answer<std::vector<FlowRecord>> flows() override { return in_turn(pace, inner.flows()); }
  Answer<std::vector<StreamRecord>> streams() override { return in_turn(pace, inner.streams()); }
  Answer<std::vector<FlowCounts>> counts() override { return in_turn(pace, inner.counts()); }
  Answer<std::optional<std::string>> meta(std::string key) override {
    return in_turn(pace, inner.meta(std::move(key)));
  }
  Answer<std::vector<AccessToken>> tokens() override { return in_turn(pace, inner.tokens()); }
  Answer<std::vector<Approval>> approvals() override { return in_turn(pace, inner.approvals()); }
  FlowTable& inner;
  Pace& pace;
};

struct PacedRecovery final : RecoveryTable {
  PacedRecovery(RecoveryTable& to, Pace& with) : inner(to), pace(with) {}
  Answer<std::vector<Group>> groups(GroupQuery query) override {
    return in_turn(pace, inner.groups(std::move(query)));
  }
  Answer<std::optional<Group>> group(GroupId id) override { return in_turn(pace, inner.group(id)); }
  Answer<std::vector<Replay>> replays() override { return in_turn(pace, inner.replays()); }
  Answer<std::optional<Replay>> replay(ReplayId id) override {
    return in_turn(pace, inner.replay(id));
  }
  Answer<std::vector<ReplayItem>> items(ReplayId id, std::optional<ItemState> state,
                                        DeliveryRef after, std::size_t limit) override {
    return in_turn(pace, inner.items(id, state, after, limit));
  }
  Answer<std::optional<ReplayId>> replay_of(DeliveryRef ref) override {
    return in_turn(pace, inner.replay_of(ref));
  }
  Answer<std::vector<AuditEntry>> audit(std::uint64_t before, std::size_t limit) override {
    return in_turn(pace, inner.audit(before, limit));
  }
  RecoveryTable& inner;
  Pace& pace;
};

struct PacedEffects final : EffectTable {
  PacedEffects(EffectTable& table, Pace& a_pace) : inner(table), pace(a_pace) {}
  Answer<std::optional<Effect>> get(std::string key) override {
    return in_turn(pace, inner.get(std::move(key)));
  }
  Answer<std::optional<Effect>> find(EffectId id) override { return in_turn(pace, inner.find(id)); }
  Answer<std::vector<Effect>> list(EffectQuery query) override {
    return in_turn(pace, inner.list(std::move(query)));
  }
  Answer<std::vector<Effect>> of(std::vector<DeliveryRef> refs) override {
    return in_turn(pace, inner.of(std::move(refs)));
  }
  Answer<std::vector<std::pair<std::string, std::uint64_t>>> in_doubt() override {
    return in_turn(pace, inner.in_doubt());
  }
  Answer<std::vector<std::pair<std::string, WallTime>>> oldest_settled() override {
    return in_turn(pace, inner.oldest_settled());
  }
  EffectTable& inner;
  Pace& pace;
};

class PacedStore final : public Store {
 public:
  PacedStore(std::unique_ptr<Store> store, Pace& pace)
      : store_(std::move(store)),
        pace_(pace),
        writer_(store_->writer(), store_->events(), pace),
        events_(store_->events(), pace),
        deliveries_(store_->deliveries(), pace),
        flows_(store_->flows(), pace),
        recovery_(store_->recovery(), pace),
        effects_(store_->effects(), pace) {}
  Writer& writer() override { return writer_; }
  EventLog& events() override { return events_; }
  DeliveryTable& deliveries() override { return deliveries_; }
  FlowTable& flows() override { return flows_; }
  RecoveryTable& recovery() override { return recovery_; }
  EffectTable& effects() override { return effects_; }
  async::Task<StoreStatus> info() override { return in_turn(pace_, store_->info()); }

 private:
  std::unique_ptr<Store> store_;
  Pace& pace_;
  PacedWriter writer_;
  PacedEvents events_;
  PacedDeliveries deliveries_;
  PacedFlows flows_;
  PacedRecovery recovery_;
  PacedEffects effects_;
};

}  // namespace

std::unique_ptr<Store> paced(std::unique_ptr<Store> store, Pace& pace) {
  return std::make_unique<PacedStore>(std::move(store), pace);
}

}  // namespace weir::engine_test
