// SPDX-License-Identifier: Apache-2.0
// What happens in the lives of one course: how Weir is configured, how the world outside answers,
// what clients and operators do, step by step, and what must be true in the end.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "journal.h"
#include "model/config_model.h"
#include "model/replay.h"

namespace weir::crash {

class Life;

// True when the step is done; false when the life ended first or a publish was refused. Then it is
// done again, as a client or an operator would do it: what was done already must not hurt.
using Step = std::function<bool(Life&, Journal&)>;

struct Story {
  Config config;
  // The status that the handler gives; the journal holds this call already.
  int (*answer)(const Journal&, FlowName flow, std::uint32_t event);
  std::vector<Step> steps;
  // By the last life, in which nothing goes wrong any more.
  std::vector<Step> last_steps{};
  // Fails the test for everything that does not hold. `crashes`: ends of lives in the middle of
  // work.
  void (*check)(Life&, const Journal&, std::uint32_t crashes);
};

// Goes on with the story where the journal says it stands. True if it is at its end.
bool run_script(Life& life, Journal& journal);
// As far as before step `end`.
bool run_script_until(Life& life, Journal& journal, std::uint32_t end);

std::string name_of(FlowName flow);
std::uint32_t key_of(std::uint32_t event);
// One stream, and a flow of each name over it; orders is ordered by key.
Config config_of_flows();

// Steps of any story.
Step publish(std::uint32_t first, std::uint32_t last);
Step settle(Duration limit);
bool repair(Life& life, Journal& journal);
// So long after that what is settled is past its retention, and goes.
bool trim(Life& life, Journal& journal);
// Only publishes every event. False if the life ended first.
bool publish_all(Life& life, Journal& journal);

// An operator's words about a replay, which is known by the reason of its plan. Not said again
// where only the answer was lost.
std::optional<Replay> find_replay(const std::vector<Replay>& replays, const std::string& name);
Step plan(ReplayPlan plan);
Step edit(ReplayPlan plan);
// To a replay that is in one of these states; one in another state has heard it.
Step say(std::string name, ReplayState wanted, std::vector<ReplayState> to);

}  // namespace weir::crash
