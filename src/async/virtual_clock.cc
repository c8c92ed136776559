// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "async/clock.h"
#include "async/completion.h"

namespace weir::async {

struct VirtualClock::Impl {
  Executor executor;
  MonoTime now{std::chrono::hours(1)};
  bool cancelled = false;
  std::multimap<MonoTime, Completion<bool>> sleepers;  // equal keys keep insertion order
};

VirtualClock::VirtualClock(Executor executor)
    : impl_(std::make_unique<Impl>(std::move(executor))) {}
VirtualClock::~VirtualClock() = default;

MonoTime VirtualClock::mono() { return impl_->now; }

WallTime VirtualClock::wall() {
  // 2026-01-01T00:00:00Z plus the virtual time since start.
  return WallTime{std::chrono::seconds(1767225600)} +
         (impl_->now.time_since_epoch() - std::chrono::hours(1));
}

Task<> VirtualClock::sleep_until(MonoTime deadline) {
  if (impl_->cancelled || deadline <= impl_->now) co_return;
  co_await complete_with<bool>([this, deadline](Completion<bool> done) {
    impl_->sleepers.emplace(deadline, std::move(done));
  });
}

void VirtualClock::cancel_sleeps() {
  impl_->cancelled = true;
  auto sleepers = std::move(impl_->sleepers);
  impl_->sleepers.clear();
  for (auto& [deadline, done] : sleepers) done(true);
}

bool VirtualClock::advance_to_next(MonoTime limit) {
  if (impl_->sleepers.empty()) return false;
  const MonoTime next = impl_->sleepers.begin()->first;
  if (next > limit || next == MonoTime::max()) return false;
  impl_->now = std::max(impl_->now, next);
  while (!impl_->sleepers.empty() && impl_->sleepers.begin()->first <= impl_->now) {
    Completion<bool> done = std::move(impl_->sleepers.begin()->second);
    impl_->sleepers.erase(impl_->sleepers.begin());
    done(true);
  }
  return true;
}

}  // namespace weir::async
