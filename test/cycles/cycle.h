// SPDX-License-Identifier: Apache-2.0
// The power goes at an operation of a recording: the disk as it is then is made, opened, compared
// with the model and checked; and once more, while the store goes on after that.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "recording.h"

namespace weir::cycles {

using Counters = std::map<std::string, std::uint64_t>;

class Cycles {
 public:
  Cycles(Model& model, const Recording& recording, std::uint64_t seed)
      : model_(model), recording_(recording), seed_(seed) {}

  // The operations of the recording, in order: cuts the power at the next one, recovers, checks,
  // cuts again, recovers, checks. What is wrong; nullopt = nothing. Counts into `counters`.
  std::optional<std::string> next(Counters& counters);
  bool at_end() const { return done_ == recording_.operations.size(); }
  // Goes past an operation without a cut.
  void skip();
  std::size_t operation() const { return done_ + 1; }
  std::size_t operations() const { return recording_.operations.size(); }

  // For the test of this test: a disk that does nothing when it is told to sync.
  void lie_about_syncs() { lying_ = true; }

 private:
  struct Opened {
    std::string holdings;
    std::optional<std::string> unsound;
    std::string appended;  // of the probe
    bool acknowledged = false;
  };
  std::uint64_t chance(std::uint64_t salt, std::uint64_t below) const;
  void perform(store::sqlite::testing::FaultDisk& disk,
               const store::sqlite::testing::DiskOperation& operation) const;
  void cut();
  void cut_while_opening(Counters& counters);
  std::optional<std::string> first_recovery(Counters& counters);
  std::optional<std::string> second_recovery(Counters& counters);
  std::optional<std::string> find_prefix(const std::string& holdings);
  Result<Opened> open_and_probe(bool cut_in_commit);
  Result<std::string> open_and_read();
  std::optional<std::string> check_soundness();

  Model& model_;
  const Recording& recording_;
  std::uint64_t seed_;
  bool lying_ = false;
  std::size_t done_ = 0;                      // operations
  store::sqlite::testing::FaultDisk before_;  // the disk after so many operations
  store::sqlite::testing::FaultVfs vfs_;      // where stores are opened
  std::size_t prefix_ = 0;                    // batches found on it
  bool probed_ = false;                       // the probe was acknowledged
};

}  // namespace weir::cycles
