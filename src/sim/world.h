// SPDX-License-Identifier: Apache-2.0
// One scenario and one seed, from the first moment to the last.
#pragma once

#include <deque>
#include <vector>

#include "sim/arrivals.h"
#include "sim/dispatcher.h"
#include "sim/scenario.h"
#include "sim/server.h"
#include "sim/stage.h"
#include "sim/tally.h"

namespace weir::sim {

class World {
 public:
  // The scenario outlives it, and was read without a problem.
  World(const Scenario& scenario, std::uint64_t seed);
  // Once.
  void run();

  // By dependency, as in the scenario.
  const std::vector<Tally>& tallies() const { return tallies_; }
  const Stage& stage() const { return stage_; }

 private:
  struct Sender {  // of one flow
    const FlowPlan* plan;
    OpenLoad open;
    Rng rng;  // of its own, so that the same events come under every policy
    std::uint32_t first_dispatcher = 0;
    std::uint32_t member = 0;         // in each of its dispatchers
    std::vector<std::uint64_t> sent;  // by client, of a closed load
  };

  void add_dispatchers(std::size_t dependency);
  void begin_loads();
  void begin_faults();
  void handle(const Happening& happening);
  void arrive(std::uint32_t flow);
  void burst(std::uint32_t flow);
  void next_of(const Happening& happening);
  void send(Sender& sender, std::uint32_t instance, std::uint32_t client);
  void answer(const Happening& happening, std::uint16_t status);
  void fault(const FaultSpec& fault, bool begins);
  void sample();
  void note(const Happening& happening);

  const Scenario& scenario_;
  Stage stage_;
  policy::ClassifyRules rules_;
  Calls calls_;
  std::vector<Tally> tallies_;
  std::deque<Server> servers_;                // by dependency; they know each other by address
  std::deque<Dispatcher> dispatchers_;        // dependency by dependency
  std::vector<std::uint32_t> dependency_of_;  // by dispatcher
  std::vector<std::vector<std::uint32_t>> flows_of_;  // by dependency: the members
  std::vector<Sender> senders_;                       // by flow
};

}  // namespace weir::sim
