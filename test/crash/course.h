// SPDX-License-Identifier: Apache-2.0
// One run of the scenario on a disk of its own, over as many lives as its faults make of it.
#pragma once

#include <memory>

#include "life.h"

namespace weir::crash {

struct Course {
  explicit Course(const Story& story = delivery_story())
      : site{.journal = journal, .story = story, .vfs = &vfs} {}

  std::unique_ptr<Journal> memory = std::make_unique<Journal>();
  Journal& journal = *memory;
  store::sqlite::testing::FaultVfs vfs;
  Site site;
  std::uint32_t crashes = 0;
  std::uint64_t operations = 0;  // of the disk, in the last life of the script

  store::sqlite::testing::FaultDisk& disk() { return vfs.disk(); }
  // A life that goes on with the script; its failure, if it did not come to the end.
  std::optional<Error> live();
  // A life whose power goes, and comes back.
  void power_cut(std::uint64_t seed);
  // Lives without faults until the script ends; then one more that checks every promise. The store
  // must be sound after it.
  void run_to_the_end();
};

}  // namespace weir::crash
