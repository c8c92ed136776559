// SPDX-License-Identifier: Apache-2.0
#include "async/testing/virtual_loop.h"

#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace weir::async::testing {

struct VirtualLoop::Impl {
  boost::asio::io_context io{1};
  VirtualClock clock{io.get_executor()};
};

VirtualLoop::VirtualLoop() : impl_(std::make_unique<Impl>()) {}
VirtualLoop::~VirtualLoop() = default;

Executor VirtualLoop::executor() { return impl_->io.get_executor(); }
VirtualClock& VirtualLoop::clock() { return impl_->clock; }

void VirtualLoop::start(Task<> task) {
  boost::asio::co_spawn(impl_->io, std::move(task), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
}

void VirtualLoop::poll() {
  impl_->io.restart();
  impl_->io.poll();
}

bool VirtualLoop::run(MonoTime limit) {
  constexpr int kJumpsMax = 1'000'000;
  poll();
  for (int jumps = 0; impl_->clock.advance_to_next(limit); ++jumps) {
    if (jumps == kJumpsMax) return false;
    poll();
  }
  return true;
}

}  // namespace weir::async::testing
