// SPDX-License-Identifier: Apache-2.0
// The master keys that a process was given: the present one, which wraps, and those before it,
// which only unwrap.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "store/records/master_key.h"

namespace weir::store {

// Shared by the threads of a store and whoever rotates; any thread.
class Keyring {
 public:
  // At least one; the first is the present one.
  using Keys = std::vector<MasterKey>;
  explicit Keyring(Keys keys) : keys_(std::make_shared<const Keys>(std::move(keys))) {}

  std::shared_ptr<const Keys> keys() const {
    const std::lock_guard lock(mutex_);
    return keys_;
  }
  void replace(std::shared_ptr<const Keys> keys) {
    const std::lock_guard lock(mutex_);
    keys_ = std::move(keys);
  }

  // Raised when data keys were destroyed: whoever remembers some forgets them.
  std::uint64_t destroyed() const { return destroyed_.load(std::memory_order_acquire); }
  void note_destroyed() { destroyed_.fetch_add(1, std::memory_order_acq_rel); }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Keys> keys_;
  std::atomic<std::uint64_t> destroyed_{0};
};

inline const MasterKey* find_key(const Keyring::Keys& keys, std::string_view id) {
  for (const MasterKey& key : keys) {
    if (key.id == id) return &key;
  }
  return nullptr;
}

}  // namespace weir::store
