// SPDX-License-Identifier: Apache-2.0
// One life of the whole of Weir behind its HTTP edges: engine, recovery and the SQLite store, wired
// as in production, on a virtual clock and with a scripted handler.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "app/egress_gate.h"
#include "async/clock.h"
#include "delivery/engine.h"
#include "effects/gateway.h"
#include "journal.h"
#include "paced_store.h"
#include "recovery/live.h"
#include "recovery/replays.h"
#include "scenario.h"
#include "store/sqlite/testing/fault_vfs.h"

namespace weir::crash {

// Exit code of a process that the poisonous event ended.
inline constexpr int kPoisoned = 99;

// Where lives run, one after the other. Without a disk, in the folder.
struct Site {
  Journal& journal;
  const Story& story = delivery_story();
  store::sqlite::testing::FaultVfs* vfs = nullptr;
  std::string folder = "/disk";
  std::uint64_t reserve_bytes = 0;  // on the disk; 0 = its space is boundless
  std::uint64_t log_bytes = 96 << 10;
};

class Life {
 public:
  // Opens, verifies, recovers, delivers. dead() if the store could not be opened or failed.
  explicit Life(Site& site);
  // Drains as on SIGTERM; a dead one only ends.
  ~Life();

  bool dead() const { return failure_.has_value(); }
  const std::optional<Error>& failure() const { return failure_; }

  // nullopt: this life ended meanwhile.
  template <class T>
  std::optional<T> wait(async::Task<T> task) {
    auto result = std::make_shared<std::optional<T>>();
    spawn(keep(std::move(task), result));
    while (!*result) {
      if (step()) continue;
      if (dead()) return std::nullopt;
      if (!clock_->advance_to_next()) throw std::runtime_error("nothing left to wait for");
    }
    return std::move(**result);
  }
  // Runs until nothing happens any more, timers of at most `limit` ahead included.
  void settle(Duration limit);
  // Lets virtual time pass even if nothing happens meanwhile.
  void pass(Duration duration);

  ports::Store& store() { return *store_; }
  delivery::Engine& engine() { return *engine_; }
  recovery::Replays& replays() { return *replays_; }
  effects::Gateway& gateway() { return *gateway_; }
  const recovery::Live& live() const { return live_; }
  async::Clock& clock() { return *set_clock_; }
  const Story& story() const { return site_.story; }

 private:
  friend class Receiver;
  template <class T>
  static async::Task<> keep(async::Task<T> task, std::shared_ptr<std::optional<T>> into) {
    into->emplace(co_await std::move(task));
  }
  void spawn(async::Task<> task);
  // Does what can be done without time passing; false if there is nothing.
  bool step();
  void open_store();
  void start();
  void die(const Error& error);
  bool reaches_the_handler() const;
  async::Task<Result<policy::ProbeAnswer>> probe();
  async::Task<Outcome> send_effect(effects::Send send);
  async::Task<bool> slept(MonoTime until);
  async::Task<bool> ended();

  Site& site_;
  std::atomic<MonoTime> now_;  // for the storage thread
  boost::asio::io_context io_{1};
  std::optional<Error> failure_;
  Pace pace_;
  std::unique_ptr<async::VirtualClock> clock_;
  std::unique_ptr<async::Clock> set_clock_;  // the same, with the wall clock as it was set
  std::unique_ptr<ports::Store> store_;
  app::EgressGate egress_gate_;
  recovery::Live live_;
  std::unique_ptr<recovery::Replays> replays_;
  std::unique_ptr<ports::DecisionSink> witness_;
  std::unique_ptr<delivery::Engine> engine_;
  std::unique_ptr<effects::Gateway> gateway_;
};

}  // namespace weir::crash
