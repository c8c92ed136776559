// SPDX-License-Identifier: Apache-2.0
// A store whose operations run one at a time, when the loop has nothing else to do: the threads of
// the store then do the same work in the same order in every run, so that "the power goes at
// operation 217" always means the same moment.
#pragma once

#include <deque>
#include <memory>

#include "async/completion.h"
#include "ports/store.h"

namespace weir::crash {

class Pace {
 public:
  async::Task<> turn() {
    co_await async::complete_with<bool>(
        [this](async::Completion<bool> go) { waiting_.push_back(std::move(go)); });
  }
  void ended() { --running_; }
  bool running() const { return running_ > 0; }
  // Lets the first one in line go. False if nobody waits.
  bool release_one() {
    if (waiting_.empty()) return false;
    ++running_;
    auto go = std::move(waiting_.front());
    waiting_.pop_front();
    go(true);
    return true;
  }

 private:
  std::deque<async::Completion<bool>> waiting_;
  int running_ = 0;
};

// `pace` outlives it.
std::unique_ptr<ports::Store> paced(std::unique_ptr<ports::Store> store, Pace& pace);

}  // namespace weir::crash
