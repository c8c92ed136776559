// SPDX-License-Identifier: Apache-2.0
// What may go wrong in a run, or be done to it. Every seed draws which of them are on (swarm
// testing: Groce et al., ISSTA'12), and the shrinker switches off what a failure does not need.
#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>

namespace weir::engine_sim {

enum class Fault : std::uint8_t {
  powerCut,    // what was not synced is there afterwards, or not, or in part
  kill,        // the process dies between two operations of the disk; the page cache stays
  restart,     // as on SIGTERM
  syncError,   // once, or from then on
  writeError,  // any operation of the disk
  readError,   // a page cannot be read
  fullDisk,
  clockJump,    // the wall clock is set, hours or days
  badAnswers,   // 429, 503, 422, 409, connections that end
  slow,         // answers that come late, or too late
  hang,         // no answer at all
  duplicates,   // events published again, effects called twice
  lateEffects,  // effects called when their attempt is over
  effects,      // requests and answers of effects are lost
  reload,       // another configuration
  replays,      // planned, started, paused, aborted midway
  operators,    // resolve, discard, archive, pause, resume
  breaker,      // opened and closed by hand
  retention,
};
inline constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::retention) + 1;
using Faults = std::bitset<kFaults>;

std::string_view to_text(Fault fault);
inline bool has(const Faults& faults, Fault fault) {
  return faults.test(static_cast<std::size_t>(fault));
}

// "kill,slow"; "none" for the empty set. nullopt for a name that is none.
std::string to_text(const Faults& faults);
std::optional<Faults> parse_faults(std::string_view text);

}  // namespace weir::engine_sim
