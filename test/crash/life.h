// SPDX-License-Identifier: Apache-2.0
// One life of Weir before a world that follows a story: handlers that answer as it says, a bank
// that is paid, a service that says how it is.
#pragma once

#include <string>

#include "journal.h"
#include "process.h"
#include "scenario.h"

namespace weir::crash {

// Exit code of a process that the poisonous event ended.
inline constexpr int kPoisoned = 99;

// Where lives run, one after the other. Without a disk, in the folder.
struct Site {
  Journal& journal;
  const Story& story = delivery_story();
  store::sqlite::testing::FaultVfs* vfs = nullptr;
  std::string folder = "/disk";
  std::uint64_t reserve_bytes = 0;  // on the disk; 0 = its space is boundless
  std::uint64_t log_bytes = 96 << 10;
};

class Life final : private engine_test::Outside, public engine_test::Process {
 public:
  // Opens, verifies, recovers, delivers. dead() if the store could not be opened or failed.
  explicit Life(Site& site);
  // Drains as on SIGTERM; a dead one only ends.
  ~Life() override;

  const Story& story() const { return site_.story; }

 private:
  async::Task<Outcome> call(std::string flow, const ports::Invocation& call) override;
  async::Task<Outcome> effect(effects::Send send) override;
  async::Task<Result<policy::ProbeAnswer>> probe(Duration patience) override;
  // Notes in the journal which calls of replays need not come again.
  void on_decision(const ports::DecisionRecord& record) override;
  // Succeeds if its effect did.
  async::Task<int> pay(const ports::Invocation& call, std::uint32_t event);
  Call& note(FlowName flow, const ports::Invocation& call);

  Site& site_;
};

}  // namespace weir::crash
