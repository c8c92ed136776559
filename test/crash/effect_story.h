// SPDX-License-Identifier: Apache-2.0
// Handlers that pay: every event has one effect, at a bank that loses requests and answers, refuses
// and is not reached; what ends in doubt is settled by an operator who has asked the bank, and what
// is in quarantine is replayed.
//
// In the end no payment was executed twice, none that was executed is reported as failed, and none
// that nobody is sure of is missing from the list of doubts.
#pragma once

#include "story.h"

namespace weir::crash {

const Story& effect_story();

}  // namespace weir::crash
