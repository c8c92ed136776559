// SPDX-License-Identifier: Apache-2.0
// What the ports of one memory store share.
#pragma once

#include <memory>
#include <utility>

#include "async/completion.h"
#include "store/memory/memory_store.h"
#include "store/memory/tables.h"

namespace weir::store::memory {

struct Core {
  std::shared_ptr<Faults> faults;
  Tables tables;
  std::uint64_t commits = 0;
  bool failed = false;

  // Completes by a post, so that nobody comes to rely on being resumed at once.
  template <class T>
  async::Task<T> later(T value) {
    co_return co_await async::complete_with<T>(
        [value = std::move(value)](async::Completion<T> done) mutable { done(std::move(value)); });
  }
};

}  // namespace weir::store::memory
