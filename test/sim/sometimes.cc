// SPDX-License-Identifier: Apache-2.0
#include "sometimes.h"

namespace weir::engine_sim {

std::string_view to_text(Rare rare) {
  static constexpr std::array<std::string_view, kRares> kNames = {"crashWithCallsRunning",
                                                                  "crashInRecovery",
                                                                  "crashInReplay",
                                                                  "crashWithPublishPending",
                                                                  "commitsShared",
                                                                  "cutWithUnsynced",
                                                                  "syncFailedThenCut",
                                                                  "readFailed",
                                                                  "diskFullRefused",
                                                                  "diskFullSettled",
                                                                  "interrupted",
                                                                  "interruptionsCapped",
                                                                  "expired",
                                                                  "inDoubt",
                                                                  "lateAnswer",
                                                                  "brakePulled",
                                                                  "breakerOpen",
                                                                  "budgetSpent",
                                                                  "deferred",
                                                                  "keyHeld",
                                                                  "duplicateFound",
                                                                  "conflictFound",
                                                                  "clockBack",
                                                                  "reloadWithCallsRunning",
                                                                  "flowRetired",
                                                                  "replayPaused",
                                                                  "replayStopped",
                                                                  "replayAborted",
                                                                  "replayCompleted",
                                                                  "replayOverRestart",
                                                                  "effectInDoubt",
                                                                  "effectReplayed",
                                                                  "effectTooLate",
                                                                  "effectAtOnceTwice",
                                                                  "effectReconciled",
                                                                  "trimmedBesideOpen"};
  return kNames[static_cast<std::size_t>(rare)];
}

}  // namespace weir::engine_sim
