// SPDX-License-Identifier: Apache-2.0
// A workload as the memory store sees it: what must be held after how many of its batches. Another
// implementation of the same ports, which has no disk to lose anything.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "workload.h"

namespace weir::cycles {

class Model {
 public:
  // Draws the whole workload of a seed. Ends the process if the workload itself is refused.
  explicit Model(std::uint64_t seed);

  const Features& features() const { return workload_.features(); }
  const std::vector<ports::WriteBatch>& batches() const { return batches_; }
  const ports::WriteBatch& probe() const { return probe_; }

  // After so many batches, and after the probe on top of them.
  const std::string& after(std::size_t batches) const { return holdings_.at(batches); }
  struct Probed {
    std::string appended;  // what the store answered
    std::string holdings;
  };
  const Probed& after_probe(std::size_t batches);

 private:
  Workload workload_;
  std::vector<ports::WriteBatch> batches_;
  std::vector<std::string> holdings_;
  ports::WriteBatch probe_;
  std::map<std::size_t, Probed> probed_;
};

// The answers to the events of a batch.
std::string text_of(const std::vector<ports::AppendResult>& appended);

}  // namespace weir::cycles
