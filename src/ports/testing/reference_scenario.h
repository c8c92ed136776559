// SPDX-License-Identifier: Apache-2.0
// A short history that does everything a store does, for crash tests, and what must be there after
// a part of it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ports/testing/store_bench.h"

namespace weir::ports::testing {

// Ingest, cursor, settlements, quarantine, replay, retention; each batch builds on those before it.
std::vector<WriteBatch> reference_scenario();

// Commits batches [first, end) until one fails; returns the number acknowledged, those before
// `first` included.
std::size_t commit_all(StoreBench& bench, const std::vector<WriteBatch>& batches, std::size_t first,
                       std::size_t end);

// The content after each batch, from a store that does not crash.
class Oracle {
 public:
  Oracle(const StoreFactory& reference, const std::vector<WriteBatch>& batches);
  // What a store must hold after so many acknowledged batches, and what it may hold: one more,
  // which was under way.
  const std::string& at_least(std::size_t acknowledged) const { return contents_[acknowledged]; }
  const std::string& at_most(std::size_t acknowledged) const;

 private:
  std::vector<std::string> contents_;
};

}  // namespace weir::ports::testing
