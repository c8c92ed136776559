// SPDX-License-Identifier: Apache-2.0
// What a dependency does with the calls that reach it: workers in front of one queue (M/D/c, M/M/c;
// FIFO, LIFO, bounded), or as many workers as calls. Speed may fall with the calls under way or
// with the queue; faults bend all of it. A call whose caller has given up is worked on like any
// other unless the spec says that the server notices.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "sim/scenario.h"
#include "sim/stage.h"

namespace weir::sim {

// One call as its server sees it.
struct Request {
  bool is_hop = false;           // made by another server's handler
  std::uint32_t caller = 0;      // call, or worker
  std::uint32_t generation = 0;  // of the caller
  std::uint32_t server = 0;      // of a hop: whose worker it is
  std::uint32_t event = 0;
  MonoTime deadline{};
};

class Server {
 public:
  Server(const ServerSpec& spec, std::uint32_t index, Stage& stage)
      : spec_(spec), index_(index), stage_(stage) {}
  // Whom its handler calls; it outlives this one.
  void calls(Server* other) { downstream_ = other; }

  // Answers come as Happenings.
  void submit(const Request& request);
  // The caller waits no longer.
  void give_up(const Request& request);
  void served(std::uint32_t worker, std::uint32_t generation);
  void hop_ended(std::uint32_t worker, std::uint32_t generation, std::uint16_t status);

  // `fault` outlives the server.
  void begin(const FaultSpec& fault);
  void end(const FaultSpec& fault);

  std::size_t queued() const { return queue_.size(); }
  // Since they were taken last: the share of its time and its workers that it worked, and the calls
  // that found its queue full.
  double take_busy();
  std::uint64_t take_turned_away() { return std::exchange(turned_away_, 0); }

 private:
  struct Worker {
    Request request;
    std::uint32_t generation = 0;
    MonoTime ends{};         // of its own work, at `speed`
    double speed = 1;        // 1 = nothing is wrong
    double degraded = 1;     // what the queue left of it when the work began
    std::uint32_t hops = 0;  // calls made to the downstream server
    bool busy = false;
    bool hopping = false;
  };
  // What faults make of it. Several at once count together.
  struct Weather {
    int refuses = 0;
    int hangs = 0;
    int paused = 0;
    double slow = 1;
    double capacity = 1;
    std::vector<const FaultSpec*> errors;
  };

  void start_next();
  void start(const Request& request);
  void hop(std::uint32_t worker);
  void finish(std::uint32_t worker, std::uint16_t status);
  void free(std::uint32_t worker);
  void answer(const Request& request, std::uint16_t status);
  void lose_everything();
  Duration service_time();
  void serve_until(std::uint32_t worker, MonoTime ends);
  void change_speed();
  void note_work();
  double weather_speed() const { return weather_.capacity / weather_.slow; }
  double degraded() const;
  static bool same(const Request& one, const Request& other);

  const ServerSpec spec_;
  const std::uint32_t index_;
  Stage& stage_;
  Server* downstream_ = nullptr;
  Weather weather_;
  std::deque<Request> queue_;
  std::vector<Worker> workers_;
  std::vector<std::uint32_t> idle_;
  std::uint32_t busy_ = 0;
  Duration worked_{};  // by all workers, up to the last change of busy_
  MonoTime changed_{};
  MonoTime taken_{};
  std::uint64_t turned_away_ = 0;
};

}  // namespace weir::sim
