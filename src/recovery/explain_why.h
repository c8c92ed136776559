// SPDX-License-Identifier: Apache-2.0
// The sentences of an explanation: from the facts about one delivery to why it is so and what to
// do. Pure.
#pragma once

#include "base/grouped.h"
#include "recovery/explain.h"

namespace weir::recovery {

// Fills why, next, replay_blocked and suggested_mode of a delivery whose facts are complete.
void add_sentences(DeliveryExplanation& delivery, const Explanation& of, WallTime now);

// "1 attempt", "3 attempts".
std::string counted(std::uint64_t number, std::string_view noun);
// "14:02:11", with the date in front if it is not the day of `now`.
std::string moment(WallTime time, WallTime now);

}  // namespace weir::recovery
