// SPDX-License-Identifier: Apache-2.0
// One life of the whole of Weir behind its HTTP edges: engine, recovery, effects and the SQLite
// store, wired as in production, on a virtual clock and before a world that is told what to do.
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
#include "outside.h"
#include "paced_store.h"
#include "recovery/live.h"
#include "recovery/replays.h"
#include "store/sqlite/testing/fault_vfs.h"

namespace weir::engine_test {

// Where processes run, one after the other. Without a disk, in the folder.
struct Machine {
  MonoTime& now;               // the clock of the next process starts here
  const Duration& wall_ahead;  // the wall clock was set by so much
  store::sqlite::testing::FaultVfs* vfs = nullptr;
  std::string folder = "/disk";
  std::uint64_t reserve_bytes = 0;  // on the disk; 0 = its space is boundless
  std::uint64_t log_bytes = 96 << 10;
  std::uint64_t delays = 0;  // seed of what store calls take; 0 = no time
};

class Process {
 public:
  // `machine` and `outside` outlive it.
  Process(const Machine& machine, Outside& outside);
  virtual ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Opens, verifies, recovers, delivers. dead() if the store could not be opened or failed.
  void start(const Config& config);
  // Drains as on SIGTERM; a dead one only ends. Nothing may be asked of it afterwards.
  void end();

  bool dead() const { return failure_.has_value(); }
  const std::optional<Error>& failure() const { return failure_; }
  // The storage thread or a reader is at work: whatever happens to the disk now meets it there.
  bool is_starting() const { return !started_; }
  bool is_ending() const { return ending_; }
  // Calls leave this process only while it is well and the machine has power.
  bool reaches_the_handler() const;

  // nullopt: this process ended meanwhile.
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
  // Starts it; whoever wants the result keeps it. An exception of it ends the test.
  void spawn(async::Task<> task);
  // Runs until nothing happens any more, timers of at most `limit` ahead included.
  void settle(Duration limit);
  // Lets virtual time pass even if nothing happens meanwhile.
  void pass(Duration duration);

  ports::Store& store() { return *store_; }
  delivery::Engine& engine() { return *engine_; }
  recovery::Replays& replays() { return *replays_; }
  effects::Gateway& gateway() { return *gateway_; }
  const recovery::Live& live() const { return live_; }
  const Pace& pace() const { return pace_; }
  async::Clock& clock() { return *set_clock_; }

 private:
  template <class T>
  static async::Task<> keep(async::Task<T> task, std::shared_ptr<std::optional<T>> into) {
    into->emplace(co_await std::move(task));
  }
  // Does what can be done without time passing; false if there is nothing.
  bool step();
  void open_store();
  void make_engine();
  void recover(const Config& config);
  void die(const Error& error);
  async::Task<bool> slept(MonoTime until);
  async::Task<bool> ended();

  class Sink;
  Machine machine_;
  Outside& outside_;
  std::atomic<MonoTime> now_;  // for the storage thread
  boost::asio::io_context io_{1};
  std::optional<Error> failure_;
  bool started_ = false;
  bool ending_ = false;
  std::unique_ptr<async::VirtualClock> clock_;
  std::unique_ptr<async::Clock> set_clock_;  // the same, with the wall clock as it was set
  Pace pace_;
  std::unique_ptr<ports::Store> store_;
  app::EgressGate egress_gate_;
  recovery::Live live_;
  std::unique_ptr<recovery::Replays> replays_;
  std::unique_ptr<ports::DecisionSink> sink_;
  std::unique_ptr<delivery::Engine> engine_;
  std::unique_ptr<effects::Gateway> gateway_;
};

}  // namespace weir::engine_test
