// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <list>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/clock.h"
#include "async/logical_wall.h"

namespace weir::async {
namespace {

class SystemClock final : public Clock {
 public:
  explicit SystemClock(Executor executor) : executor_(std::move(executor)) {}

  MonoTime mono() override { return steady_now(); }

  WallTime wall() override {
    const auto machine = WallTime{
        std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())};
    return wall_.at(machine, mono());
  }

  Task<> sleep_until(MonoTime deadline) override {
    if (cancelled_) co_return;
    sleepers_.emplace_front(executor_);
    const auto self = sleepers_.begin();
    // In nanoseconds a far deadline would overflow: nobody sleeps for more than a year.
    const MonoTime at = std::clamp(deadline, MonoTime{}, steady_now() + std::chrono::years(1));
    self->expires_at(std::chrono::steady_clock::time_point{at.time_since_epoch()});
    boost::system::error_code ignored;  // a cancelled sleep is a wake-up
    co_await self->async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    sleepers_.erase(self);
  }

  void cancel_sleeps() override {
    cancelled_ = true;
    for (auto& timer : sleepers_) timer.cancel();
  }

 private:
  Executor executor_;
  std::list<boost::asio::steady_timer> sleepers_;
  LogicalWall wall_;
  bool cancelled_ = false;
};

}  // namespace

MonoTime steady_now() {
  return MonoTime{
      std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())};
}

std::unique_ptr<Clock> system_clock(Executor executor) {
  return std::make_unique<SystemClock>(std::move(executor));
}

}  // namespace weir::async
