// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_store.h"

#include "store/memory/ports.h"

namespace weir::store::memory {
namespace {

class MemoryStore final : public ports::Store {
 public:
  explicit MemoryStore(Options options) : core_{.faults = std::move(options.faults)} {
    if (!core_.faults) core_.faults = std::make_shared<Faults>();
  }

  ports::Writer& writer() override { return writer_; }
  ports::EventLog& events() override { return events_; }
  ports::DeliveryTable& deliveries() override { return deliveries_; }
  ports::FlowTable& flows() override { return flows_; }
  ports::RecoveryTable& recovery() override { return recovery_; }
  ports::EffectTable& effects() override { return effects_; }

  async::Task<ports::StoreStatus> info() override {
    ports::StoreStatus info{.kind = "memory",
                            .format = 1,
                            .full = core_.faults->full,
                            .commits = core_.commits,
                            .batches = core_.commits};
    for (const auto& [id, log] : core_.tables.streams) {
      info.events += log.record.next_seq - log.record.first_seq;
      for (const StoredEvent& event : log.events) info.bytes += event.record.size();
    }
    co_return co_await core_.later(std::move(info));
  }

 private:
  Core core_;
  MemoryWriter writer_{core_};
  MemoryEventLog events_{core_};
  MemoryDeliveryTable deliveries_{core_};
  MemoryFlowTable flows_{core_};
  MemoryRecoveryTable recovery_{core_};
  MemoryEffectTable effects_{core_};
};

}  // namespace

std::unique_ptr<ports::Store> open(async::Executor, Options options) {
  return std::make_unique<MemoryStore>(std::move(options));
}

}  // namespace weir::store::memory
