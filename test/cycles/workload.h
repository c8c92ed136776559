// SPDX-License-Identifier: Apache-2.0
// What a store is asked to write, drawn from a seed: a small world in which every batch is legal,
// so that the checks of a store must find it sound after each of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/rng.h"
#include "ports/write_batch.h"

namespace weir::cycles {

// Which kinds of writing a seed has: a random subset (swarm testing).
struct Features {
  bool encrypted = false;
  bool long_stream = false;  // more events than a dedupe segment has
  bool large_events = false;
  bool retries = false;
  bool replays = false;
  bool effects = false;
  bool edits = false;
  bool access = false;
  bool retention = false;
  bool second_flow = false;
  bool restarts = false;  // the store is closed and opened again half way
  std::size_t batches = 0;
  std::uint64_t log_bytes = 0;  // a checkpoint when the log is this long
};
Features features_of(std::uint64_t seed);

inline constexpr StreamId kOrders{1};
inline constexpr StreamId kNotes{2};

class Workload {
 public:
  explicit Workload(std::uint64_t seed);

  const Features& features() const { return features_; }
  // The next batch, and what the store said about it, in turns.
  ports::WriteBatch next();
  void learn(const ports::Receipt& receipt);

  // A batch to try a store with: a new event, and old ones, which it must know again.
  ports::WriteBatch probe() const;

 private:
  struct Row {
    DeliveryState state = DeliveryState::waiting;
    GroupId group;
    std::uint32_t revision = kFirstRevision;
    std::int64_t changed = 0;  // in which turn
  };
  struct Run {
    ReplayId id;
    ReplayState state = ReplayState::planning;
    ReplayCounts counts;
    std::int64_t planned = 0;       // in which turn
    std::vector<DeliveryRef> open;  // quarantined and frozen into it
  };
  using Step = void (Workload::*)();

  void begin();
  void publish();
  void settle();
  void fail();
  void quarantine(DeliveryRef ref);
  void finish();
  void edit();
  void replay();
  void freeze();
  void claim(DeliveryRef ref);
  void effect();
  void trim();
  void access();
  void keys();
  void note();

  void add(ports::Mutation mutation) { batch_.mutations.push_back(std::move(mutation)); }
  void audit(std::string action, std::string target);
  bool odds(std::uint64_t one_in) { return rng_.below(one_in) == 0; }
  WallTime now() const { return WallTime{std::chrono::seconds{1000 + turn_}}; }
  ports::NewEvent event(std::uint64_t number, bool changed) const;
  Delivery row_of(DeliveryRef ref, DeliveryState state) const;
  FlowId some_flow();
  // A delivery in this state; nullopt if there is none.
  std::optional<DeliveryRef> some_row(DeliveryState state);

  Features features_;
  Rng rng_;
  std::vector<Step> steps_;
  std::int64_t turn_ = 0;
  ports::WriteBatch batch_;

  std::uint64_t published_ = 0;  // numbers given to events of orders, from 1
  std::uint64_t next_seq_ = 1;
  std::uint64_t first_seq_ = 1;
  std::uint64_t notes_ = 0;
  std::map<FlowId, std::uint64_t> floors_;
  std::map<DeliveryRef, Row> rows_;
  std::optional<DeliveryRef> joining_;  // its group is in the receipt
  Run run_;
  std::map<std::string, std::uint32_t> effects_;  // versions
  std::uint32_t approvals_ = 0;
};

}  // namespace weir::cycles
