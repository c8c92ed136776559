// SPDX-License-Identifier: Apache-2.0
// The reference scenario: two flows over one stream of 24 events, one of them ordered by key.
// Events are published in batches that overlap, some fail, some of them for ever, one is resolved
// by hand, the handler is repaired, and two replays with canaries put the rest back. Every step
// may be cut short and is then done again, as a client or an operator would do it.
#pragma once

#include <string>

#include "life.h"
#include "model/config_model.h"

namespace weir::crash {

Config scenario_config();

// What the handler answers to this call; the journal holds it already.
int answer_of(const Journal& journal, FlowName flow, std::uint32_t event);
std::string problem_of(FlowName flow, std::uint32_t event);

// Where each event of each flow is at the end of the scenario.
enum class Ending : std::uint8_t { applied, quarantined, held, resolved };
Ending ending_of(FlowName flow, std::uint32_t event);
std::uint32_t key_of(std::uint32_t event);

// Goes on with the script where the journal says it stands. True if it is at its end; false if the
// life ended first or a publish was refused.
bool run_script(Life& life, Journal& journal);
// As far as before step `end`.
bool run_script_until(Life& life, Journal& journal, std::uint32_t end);
std::uint32_t script_length();
// Only publishes every event. False if the life ended first.
bool publish_all(Life& life, Journal& journal);

}  // namespace weir::crash
