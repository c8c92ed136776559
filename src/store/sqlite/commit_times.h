// SPDX-License-Identifier: Apache-2.0
// How long the newest commits took, and how many batches shared them. Written by one thread, read
// by any.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>

#include "base/time.h"
#include "ports/store.h"

namespace weir::store::sqlite {

class CommitTimes {
 public:
  void record(Duration took, std::size_t batches);
  void describe(ports::StoreStatus& info) const;

 private:
  static constexpr std::size_t kKept = 4096;
  mutable std::mutex mutex_;
  std::array<std::uint32_t, kKept> micros_{};
  std::uint64_t commits_ = 0;
  std::uint64_t batches_ = 0;
};

}  // namespace weir::store::sqlite
