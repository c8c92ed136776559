// SPDX-License-Identifier: Apache-2.0
// A store whose operations run one at a time, when the loop has nothing else to do: the threads of
// the store then do the same work in the same order in every run, so that "the power goes at
// operation 217" always means the same moment. With a seed, each also takes virtual time before it
// begins and before it is answered, so that they overtake each other as on a busy machine.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>

#include "async/clock.h"
#include "async/completion.h"
#include "base/rng.h"
#include "ports/store.h"

namespace weir::engine_test {

// Commits keep their order, as on the one thread that writes; readers overtake.
enum class Turn : std::uint8_t { read, commit };

class Pace {
 public:
  // seed 0: no virtual time passes.
  Pace(async::Clock& clock, std::uint64_t seed) : clock_(clock) {
    if (seed != 0) rng_.emplace(seed);
  }

  async::Task<> turn(Turn kind) {
    if (rng_) co_await clock_.sleep_until(after_delay(kind, last_begun_));
    co_await async::complete_with<bool>(
        [this](async::Completion<bool> go) { waiting_.push_back(std::move(go)); });
  }
  void ended() { --running_; }
  async::Task<> answer(Turn kind) {
    if (rng_) co_await clock_.sleep_until(after_delay(kind, last_answered_));
  }
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
  // Mostly short, now and then long.
  MonoTime after_delay(Turn kind, MonoTime& last_commit) {
    const std::uint64_t bound = rng_->below(16) == 0 ? 20'000 : 400;
    const MonoTime at = clock_.mono() + Duration{1 + rng_->below(bound)};
    if (kind == Turn::read) return at;
    last_commit = std::max(last_commit, at);
    return last_commit;
  }

  async::Clock& clock_;
  std::optional<Rng> rng_;
  MonoTime last_begun_{};
  MonoTime last_answered_{};
  std::deque<async::Completion<bool>> waiting_;
  int running_ = 0;
};

// `pace` outlives it.
std::unique_ptr<ports::Store> paced(std::unique_ptr<ports::Store> store, Pace& pace);

}  // namespace weir::engine_test
