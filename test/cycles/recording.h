// SPDX-License-Identifier: Apache-2.0
// One run of a workload on the SQLite store, through its ports, on a disk that keeps a record: what
// the disk was asked to do, and when each batch was acknowledged.
#pragma once

#include <memory>
#include <vector>

#include "model.h"
#include "store/records/keyring.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/testing/fault_vfs.h"

namespace weir::cycles {

inline constexpr const char* kFolder = "/disk";

struct Recording {
  std::vector<store::sqlite::testing::DiskOperation> operations;
  // For each batch, how many operations had been done when its answer left the storage thread.
  std::vector<std::size_t> acknowledged_after;
  std::shared_ptr<store::Keyring> keyring;  // null = not encrypted

  // Batches acknowledged before operation `number` (from 1) began.
  std::size_t acknowledged_before(std::size_t number) const;
  // Of every operation: the same seed must give the same.
  std::uint32_t trace() const;
};

// The store on the disk of `vfs`, as a recording and every recovery opens it.
store::sqlite::Options options_on(const store::sqlite::testing::FaultVfs& vfs,
                                  async::Executor executor, const Features& features,
                                  std::shared_ptr<store::Keyring> keyring);

// Errors: of the store, on a disk without faults.
Result<Recording> record(const Model& model, std::uint64_t seed);

}  // namespace weir::cycles
