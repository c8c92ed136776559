// SPDX-License-Identifier: Apache-2.0
// Selections that ask about what nobody is shown: whether they match tells what it is, one guess
// at a time. Such a question is a way to reveal, and is treated as one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "async/clock.h"
#include "async/task.h"
#include "model/replay.h"
#include "ports/store.h"
#include "recovery/live.h"

namespace weir::recovery {

// What it asks about that is hidden, as the rules name it ("/cards/*/number", "subject"), and the
// ordering key, if that is hidden and asked for by itself and not by its tag. Never a value.
std::vector<std::string> hidden_places(const Live& live, const Selection& selection);

struct Question {
  std::string_view by;  // "a dry run of a replay"
  std::string actor;
  std::string reason;
};

// Before anything is looked up: an audit entry event.reveal that names the places, durable, whether
// anything will match or not. Nothing, if the selection asks about nothing hidden. Errors:
// reason_required, and those of the store.
async::Task<Result<>> note_question(ports::Store& store, async::Clock& clock, const Live& live,
                                    Selection selection, Question question);

}  // namespace weir::recovery
