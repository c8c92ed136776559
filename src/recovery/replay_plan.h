// SPDX-License-Identifier: Apache-2.0
// Makes a replay plan: freezes its selection in the store, in bounded steps between live commits.
#pragma once

#include <functional>
#include <string>

#include "async/clock.h"
#include "async/task.h"
#include "model/replay.h"
#include "ports/store.h"
#include "recovery/live.h"

namespace weir::recovery {

inline constexpr std::size_t kOpenReplaysMax = 200;  // planned or under way at a time

// Freezes and stores; the result is in state planned. Errors: empty_selection (no condition, or
// nothing matches), reason_required, those of resolve_selection(), invalid_argument for a rate plan
// that cannot work.
async::Task<Result<Replay>> make_plan(ports::Store& store, async::Clock& clock, const Live& live,
                                      ReplayPlan plan);

// Errors: invalid_argument for a rate plan that cannot work.
Result<> check_plan(const ReplayPlan& plan);

// A canary that nobody asked for is for many deliveries only.
void leave_out_default_canary(ReplayPlan& plan, std::uint64_t deliveries);

// Every delivery that make_plan() would freeze now, with its errors but for the reason; nothing is
// stored.
async::Task<Result<>> visit_plan(ports::Store& store, const Live& live, const ReplayPlan& plan,
                                 std::function<void(const Delivery&)> visit);

// How many that would fit its selection came into quarantine after a plan was made: they never join
// it. Counted up to kJoinedMax.
inline constexpr std::uint64_t kJoinedMax = 10'000;
async::Task<Result<std::uint64_t>> joined_since(ports::Store& store, const Live& live,
                                                const Replay& replay);

// A plan whose freezing was cut short by a crash is aborted at the next start.
async::Task<Result<>> abort_half_made_plans(ports::Store& store, async::Clock& clock);

}  // namespace weir::recovery
