// SPDX-License-Identifier: Apache-2.0
// Signs where the chain of the audit is, again and again: into a file of the data folder and into
// the log, so that copies of the word exist where nobody who can change the store can reach them.
// What is not sound is not signed, and said. I/O thread; nothing happens without a data folder.
#pragma once

#include <string>
#include <vector>

#include "api/api.h"
#include "app/audit_files.h"
#include "async/clock.h"
#include "async/task.h"
#include "ports/store.h"
#include "telemetry/log.h"

namespace weir::app {

class AuditSeal {
 public:
  static constexpr std::uint64_t kEntriesMax = 1000;  // a checkpoint is due after so many entries,
  static constexpr Duration kEvery = std::chrono::hours{1};  // or so long after the last one
  static constexpr std::size_t kKept = 10'000;               // in memory; the file has them all

  // `folder` is "" for a store without one.
  AuditSeal(ports::Store& store, async::Clock& clock, telemetry::Log& log, std::string folder);

  // Errors: audit_key_refused, audit_unreadable. A chain that has lost what was signed is logged.
  async::Task<Result<>> start();
  // Signs if it is due; `last` = whatever is new.
  async::Task<> look(bool last);
  api::AuditSeals view() const;

 private:
  async::Task<Result<AuditHead>> verified_head();
  async::Task<Result<>> still_there();
  void tell(const AuditCheckpoint& checkpoint);

  ports::Store& store_;
  async::Clock& clock_;
  telemetry::Log& log_;
  std::string folder_;
  SigningKeys keys_;
  std::uint64_t incarnation_ = 0;
  std::vector<AuditCheckpoint> checkpoints_;
  MonoTime due_{};        // whatever is new is signed from then on
  MonoTime try_again_{};  // after a fault
};

}  // namespace weir::app
