// SPDX-License-Identifier: Apache-2.0
// Lets SQLite run on a FaultDisk: registers it as a VFS under a name of its own, with shared memory
// on the heap, so that the writer and the readers of one process work in WAL mode. Randomness and
// time come from here, too: what SQLite writes is the same in every run.
#pragma once

#include <memory>
#include <string>

#include "store/sqlite/testing/fault_disk.h"

namespace weir::store::sqlite::testing {

class FaultVfs {
 public:
  FaultVfs();
  // SQLite has one generator of random bytes per process, which asks the default VFS for its start,
  // once: this one becomes the default, and is asked anew. Of all that are alive, the newest
  // counts.
  void seed(std::uint64_t seed);
  // Every connection must be closed before.
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  FaultDisk& disk() { return disk_; }
  const std::string& name() const { return name_; }

 private:
  struct Registration;
  FaultDisk disk_;
  std::string name_;
  std::unique_ptr<Registration> registration_;
};

}  // namespace weir::store::sqlite::testing
