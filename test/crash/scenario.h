// SPDX-License-Identifier: Apache-2.0
// The reference story: two flows over one stream of 24 events, one of them ordered by key. Events
// are published in batches that overlap, some fail, some of them for ever, one is resolved by hand,
// the handler is repaired, and two replays with canaries put the rest back.
#pragma once

#include "story.h"

namespace weir::crash {

const Story& delivery_story();

// Where each event of each flow is at its end.
enum class Ending : std::uint8_t { applied, quarantined, held, resolved };
Ending ending_of(FlowName flow, std::uint32_t event);

}  // namespace weir::crash
