// SPDX-License-Identifier: Apache-2.0
// Which members of a plan send an edited event, and who edited them. Who edits what is sent wants
// it sent: no editor of a member may approve the plan.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "async/task.h"
#include "model/replay.h"
#include "ports/store.h"

namespace weir::recovery {

struct PlanEdits {
  std::uint64_t deliveries = 0;
  std::vector<std::string> editors;  // subjects, each once
  std::string revisions;             // a line for each, in the order of the members
};

// Adds those among `refs`, any number of them.
async::Task<Result<>> add_edits(ports::Store& store, std::vector<DeliveryRef> refs,
                                PlanEdits& into);
// Of all members of a replay. They stay as they are while the replay is not over.
async::Task<Result<PlanEdits>> edits_of_members(ports::Store& store, ReplayId id);
// What the plan says of them: how many, which revisions, and that their editors made it, too.
void note_edits(ReplayPlan& plan, const PlanEdits& edits);

}  // namespace weir::recovery
