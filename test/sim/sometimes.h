// SPDX-License-Identifier: Apache-2.0
// Rare states that a run of many seeds must have reached: a simulation that never gets there proves
// nothing about them ("sometimes" assertions, as in Antithesis).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weir::engine_sim {

enum class Rare : std::uint8_t {
  crashWithCallsRunning,
  crashInRecovery,
  crashInReplay,
  crashWithPublishPending,
  commitsShared,    // a transaction
  cutWithUnsynced,  // the power went with sectors that were not on the disk
  syncFailedThenCut,
  readFailed,
  diskFullRefused,  // ingest was
  diskFullSettled,  // a delivery was settled while it was
  interrupted,      // a delivery cut short by a crash
  interruptionsCapped,
  expired,
  inDoubt,  // a delivery
  lateAnswer,
  brakePulled,  // a flow paused itself
  breakerOpen,
  budgetSpent,  // a retry was refused for it
  deferred,
  keyHeld,  // with two events behind it
  duplicateFound,
  conflictFound,
  clockBack,  // while a retry waited
  reloadWithCallsRunning,
  flowRetired,
  replayPaused,
  replayStopped,
  replayAborted,  // with members not sent
  replayCompleted,
  replayOverRestart,  // running before a crash and after it
  effectInDoubt,
  effectReplayed,  // said again from the ledger
  effectTooLate,   // its attempt was over
  effectAtOnceTwice,
  effectReconciled,
  trimmedBesideOpen,  // retention went past a delivery that was open
};
inline constexpr std::size_t kRares = static_cast<std::size_t>(Rare::trimmedBesideOpen) + 1;

std::string_view to_text(Rare rare);

class Sometimes {
 public:
  void reached(Rare rare) { ++counts_[static_cast<std::size_t>(rare)]; }
  std::uint64_t count(Rare rare) const { return counts_[static_cast<std::size_t>(rare)]; }
  void add(const Sometimes& other) {
    for (std::size_t i = 0; i < kRares; ++i) counts_[i] += other.counts_[i];
  }

 private:
  std::array<std::uint64_t, kRares> counts_{};
};

}  // namespace weir::engine_sim
