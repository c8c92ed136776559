// SPDX-License-Identifier: Apache-2.0
// A store whose operations run one at a time, when the loop has nothing else to do: the threads of
// the store then do the same work in the same order in every run, so that "the power goes at
// operation 217" always means the same moment. With a seed, each also takes virtual time before it
// begins and before it is answered, so that they overtake each other as on a busy machine, and
// commits that begin at the same time share a transaction.
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

  // Whether more commits follow at once, for the same transaction.
  async::Task<bool> turn(Turn kind) {
    if (rng_) co_await clock_.sleep_until(after_delay(kind, last_begun_));
    co_return co_await async::complete_with<bool>(
        [this, kind](async::Completion<bool> go) { waiting_.push_back({kind, std::move(go)}); });
  }
  void ended() { --running_; }
  async::Task<> answer(Turn kind) {
    if (rng_) co_await clock_.sleep_until(after_delay(kind, last_answered_));
  }
  bool running() const { return running_ > 0; }
  // Lets the first one in line go, or all commits that stand there. False if nobody waits.
  bool release() {
    if (waiting_.empty()) return false;
    while (release_first()) ++shared_;
    return true;
  }
  // Commits that went into the transaction of another one.
  std::uint64_t shared() const { return shared_; }

 private:
  struct Waiting {
    Turn kind;
    async::Completion<bool> go;
  };

  // Whether the next one goes with it.
  bool release_first() {
    ++running_;
    Waiting first = std::move(waiting_.front());
    waiting_.pop_front();
    const bool followed = rng_ && first.kind == Turn::commit && !waiting_.empty() &&
                          waiting_.front().kind == Turn::commit;
    first.go(followed);
    return followed;
  }
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
  std::deque<Waiting> waiting_;
  int running_ = 0;
  std::uint64_t shared_ = 0;
};

// `pace` outlives it.
std::unique_ptr<ports::Store> paced(std::unique_ptr<ports::Store> store, Pace& pace);

}  // namespace weir::engine_test
