// SPDX-License-Identifier: Apache-2.0
// What happens in one run, as data: it follows from the seed, and can be cut down to less of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "faults.h"

namespace weir::engine_sim {

inline constexpr std::uint32_t kEventsMax = 48;

enum class MoveKind : std::uint8_t {
  publish,    // events a .. b
  republish,  // events a .. b, as a client whose answer was lost; c: with other content
  mood,       // of the service: a percent of the calls go wrong
  powerCut,   // a operations of the disk from now on; b: again, so many after the restart
  kill,       // likewise
  restart,
  syncError,    // the a-th from now on; b: and all later ones
  writeError,   // the a-th operation from now on
  readError,    // the a-th page from now on
  fullDisk,     // a pages are left; b ms later there is room again
  clockJump,    // forward by a minutes, or back (b)
  reload,       // variant a of the configuration
  planReplay,   // of flow a
  tellReplay,   // the a-th open one: b = run, pause or abort
  settleOne,    // the a-th in quarantine: b = resolve, discard, archive or restore
  settleDoubt,  // the a-th effect in doubt: somebody asks the dependency
  pauseFlow,    // a; b = go on
  breaker,      // opened (0), closed (1) or left to its calls (2)
  trim,
  explain,  // event a
};

struct Move {
  std::uint32_t index = 0;  // in the whole plan
  MoveKind kind = MoveKind::publish;
  Duration at{};  // since the begin of the run; later if it is late
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::uint64_t c = 0;
};

struct Plan {
  std::uint64_t seed = 0;
  Faults faults;
  std::uint32_t events = 0;  // numbers above are left out of publishing
  std::vector<Move> moves;
};

// Everything that the seed says.
Plan plan_of(std::uint64_t seed);
// Without the moves of faults that are off, and without publishing what is above plan.events.
Plan without_the_rest(Plan plan);
// Only the moves with these indices.
Plan with_moves(const Plan& plan, const std::vector<std::uint32_t>& indices);

std::string_view name_of(MoveKind kind);
std::string to_text(const Move& move);
// The command that runs exactly this.
std::string command_of(const Plan& plan);
// "0-3,7" and back; nullopt for what is no such list.
std::string ranges_of(const std::vector<Move>& moves);
std::optional<std::vector<std::uint32_t>> parse_ranges(std::string_view text);

// A die for one question about a run: the same whatever else happens in it.
Rng die(std::uint64_t seed, std::string_view question, std::uint64_t a = 0, std::uint64_t b = 0,
        std::uint64_t c = 0);

}  // namespace weir::engine_sim
