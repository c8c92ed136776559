// SPDX-License-Identifier: Apache-2.0
// What clients and operators ask of a running process, each as one task that may overlap with
// others and be cut short. An answer that nobody may get is noted as a failure.
#pragma once

#include <vector>

#include "journal.h"
#include "plan.h"
#include "process.h"

namespace weir::engine_sim {

inline constexpr const char* kActor = "local:sim";

// As a client does it. `other`: the first event comes once more, with other content.
async::Task<> publish(engine_test::Process& process, Journal& journal,
                      std::vector<std::uint32_t> events, bool other);
async::Task<> plan_replay(engine_test::Process& process, Journal& journal, Move move);
async::Task<> tell_replay(engine_test::Process& process, Journal& journal, Move move);
async::Task<> settle_one(engine_test::Process& process, Journal& journal, Move move);
// Somebody asks the dependency, and believes it.
async::Task<> settle_doubt(engine_test::Process& process, Journal& journal, std::uint64_t which);
async::Task<> pause_flow(engine_test::Process& process, Journal& journal, Move move);
async::Task<> control_breaker(engine_test::Process& process, Journal& journal, Move move);
async::Task<> trim(engine_test::Process& process, Journal& journal);
async::Task<> explain(engine_test::Process& process, Journal& journal, Move move);

}  // namespace weir::engine_sim
