// SPDX-License-Identifier: Apache-2.0
#include "net/resolve.h"

#include <algorithm>
#include <list>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace weir::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

struct HostAddresses::Impl {
  Impl(async::Executor given, async::Clock& a_clock, std::string name, std::uint16_t a_port)
      : executor(given), clock(a_clock), host(std::move(name)), port(a_port), resolver(given) {}

  async::Executor executor;
  async::Clock& clock;
  std::string host;
  std::uint16_t port;
  tcp::resolver resolver;
  bool is_literal = false;
  bool looking = false;
  Addresses known;
  MonoTime known_until{};
  bool has_known = false;
  std::size_t turn = 0;
  std::list<asio::steady_timer> waiting;  // cancelled when the answer is there

  bool is_fresh() const { return has_known && (is_literal || clock.mono() < known_until); }

  void take(const error_code& error, const tcp::resolver::results_type& found) {
    looking = false;
    known = Addresses{};
    for (const auto& entry : found) {
      if (known.list.size() == kAddressesMax) break;
      known.list.push_back({entry.endpoint().address().to_string(), port});
    }
    if (error || known.list.empty()) {
      const bool not_found = error == asio::error::host_not_found || error == asio::error::no_data;
      known.list.clear();
      known.fault = not_found ? Fault::dnsNotFound : Fault::dnsTemporary;
      known.detail = fmt::format("resolve {}: {}", host, error ? error.message() : "no address");
    }
    has_known = true;
    known_until = clock.mono() + (known.fault == Fault::none ? kAddressesKept : kNoAddressKept);
    wake();
  }

  void wake() {
    for (asio::steady_timer& timer : waiting) timer.cancel();
  }

  Addresses answer() {
    Addresses copy = known;
    if (!copy.list.empty())
      std::ranges::rotate(copy.list, copy.list.begin() + (turn++ % copy.list.size()));
    return copy;
  }
};

HostAddresses::HostAddresses(async::Executor executor, async::Clock& clock, std::string host,
                             std::uint16_t port)
    : impl_(std::make_shared<Impl>(std::move(executor), clock, std::move(host), port)) {
  error_code not_an_address;
  static_cast<void>(asio::ip::make_address(impl_->host, not_an_address));
  if (not_an_address) return;
  impl_->is_literal = true;
  impl_->has_known = true;
  impl_->known.list.push_back({impl_->host, port});
}

HostAddresses::~HostAddresses() { impl_->resolver.cancel(); }

async::Task<Addresses> HostAddresses::get(MonoTime deadline) {
  Impl& impl = *impl_;
  if (impl.is_fresh()) co_return impl.answer();
  if (!impl.looking) {
    impl.looking = true;
    impl.resolver.async_resolve(impl.host, std::to_string(impl.port),
                                [weak = std::weak_ptr<Impl>(impl_)](error_code error, auto found) {
                                  if (const auto alive = weak.lock()) alive->take(error, found);
                                });
  }
  const auto timer = impl.waiting.emplace(impl.waiting.end(), impl.executor);
  timer->expires_after(std::max(Duration::zero(), deadline - impl.clock.mono()));
  error_code woken;
  co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, woken));
  impl.waiting.erase(timer);
  if (impl.is_fresh()) co_return impl.answer();
  co_return Addresses{
      {}, Fault::dnsTemporary, fmt::format("resolve {}: no answer in time", impl.host)};
}

void HostAddresses::forget() { impl_->has_known = impl_->is_literal; }

void HostAddresses::cancel() { impl_->wake(); }

}  // namespace weir::net
