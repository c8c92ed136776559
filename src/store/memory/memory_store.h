// SPDX-License-Identifier: Apache-2.0
// The store in memory, for tests and the simulator: the same ports and rules as SQLite, ordered
// containers, copies.
#pragma once

#include <cstdint>
#include <memory>

#include "async/task.h"
#include "ports/store.h"

namespace weir::store::memory {

// Faults that a test switches while the store runs. Used on the store's thread.
struct Faults {
  bool full = false;  // ingest batches fail with store_full
  bool fail_next_commit =
      false;  // the next commit is not applied; every later one fails too (store_failed)
  bool lose_next_reply =
      false;  // the next commit is applied and then fails likewise: its outcome is unknown
};

struct Options {
  std::shared_ptr<Faults> faults;  // may be null
};

// Works at once, inside the call, and completes by a post to the caller's executor: deterministic
// on a virtual clock.
std::unique_ptr<ports::Store> open(async::Executor executor, Options options = {});

}  // namespace weir::store::memory
