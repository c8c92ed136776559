// SPDX-License-Identifier: Apache-2.0
// A dependency with a number of workers and one queue, and a caller with endless work who obeys an
// adaptive limit. Virtual time: as exact as arithmetic, and nothing waits.
#pragma once

#include <algorithm>
#include <queue>
#include <vector>

#include "base/rng.h"
#include "policy/adaptive_limit.h"

namespace weir::policy::testing {

class QueueingServer {
 public:
  QueueingServer(std::size_t workers, Duration service) : free_at_(workers), service_(service) {}

  void set_workers(std::size_t workers) { free_at_.resize(workers); }
  void set_service(Duration service) { service_ = service; }
  // Each call takes service * (1 - share .. 1 + share).
  void set_jitter(double share) { jitter_ = share; }

  // When the call that arrives now is done.
  MonoTime serve(MonoTime now, Rng& rng) {
    const auto worker = std::ranges::min_element(free_at_);
    const double factor = 1 + jitter_ * (2 * rng.unit() - 1);
    const Duration takes{static_cast<std::int64_t>(static_cast<double>(service_.count()) * factor)};
    *worker = std::max(*worker, now) + takes;
    return *worker;
  }

 private:
  std::vector<MonoTime> free_at_;
  Duration service_;
  double jitter_ = 0;
};

// Calls as fast as the limit allows, at most `wanted` at once.
class Caller {
 public:
  Caller(AdaptiveLimit& limit, QueueingServer& server, Duration timeout)
      : limit_(limit), server_(server), timeout_(timeout) {}

  void run_for(Duration time, std::uint32_t wanted = UINT32_MAX) {
    const MonoTime end = now_ + time;
    start_all(wanted);
    while (!running_.empty() && running_.top().at <= end) {
      const Running call = running_.top();
      running_.pop();
      now_ = call.at;
      const Duration took = now_ - call.since;
      longest_ = std::max(longest_, took);
      ++(call.end == AdaptiveLimit::End::served ? served_ : dropped_);
      limit_.ended(call.end, took, static_cast<std::uint32_t>(running_.size()) + 1, now_);
      start_all(wanted);
    }
    now_ = end;
  }

  // Since the last call of this.
  Duration take_longest() { return std::exchange(longest_, Duration{}); }
  std::uint64_t take_served() { return std::exchange(served_, 0); }
  std::uint64_t take_dropped() { return std::exchange(dropped_, 0); }
  MonoTime now() const { return now_; }

 private:
  struct Running {
    MonoTime at;
    MonoTime since;
    AdaptiveLimit::End end;
    bool operator>(const Running& other) const { return at > other.at; }
  };

  void start_all(std::uint32_t wanted) {
    while (running_.size() < std::min(limit_.limit(), wanted)) {
      const MonoTime done = server_.serve(now_, rng_);
      const bool late = done - now_ > timeout_;
      running_.push({late ? now_ + timeout_ : done, now_,
                     late ? AdaptiveLimit::End::dropped : AdaptiveLimit::End::served});
      limit_.started(static_cast<std::uint32_t>(running_.size()), now_);
    }
  }

  AdaptiveLimit& limit_;
  QueueingServer& server_;
  Duration timeout_;
  Rng rng_{7};
  MonoTime now_{std::chrono::seconds{1000}};
  Duration longest_{};
  std::uint64_t served_ = 0;
  std::uint64_t dropped_ = 0;
  std::priority_queue<Running, std::vector<Running>, std::greater<>> running_;
};

}  // namespace weir::policy::testing
