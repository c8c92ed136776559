// SPDX-License-Identifier: Apache-2.0
#include "net/testing/raw_peer.h"

#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <sys/socket.h>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "async/task_group.h"

namespace weir::net::testing {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

struct Loop::Impl {
  asio::io_context io{1};
  std::unique_ptr<async::Clock> clock = async::system_clock(io.get_executor());
  async::TaskGroup group{io.get_executor()};
  bool ended = false;
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

async::Executor Loop::executor() { return impl_->io.get_executor(); }
async::Clock& Loop::clock() { return *impl_->clock; }
void Loop::spawn(async::Task<> child) { impl_->group.spawn(std::move(child)); }

namespace {

async::Task<> run_with_children(async::Task<> test, async::TaskGroup& group) {
  co_await std::move(test);
  co_await group.join();
}

}  // namespace

bool Loop::run(async::Task<> test) {
  impl_->ended = false;
  std::exception_ptr failure;
  asio::co_spawn(impl_->io, run_with_children(std::move(test), impl_->group),
                 [&](std::exception_ptr thrown) {
                   failure = thrown;
                   impl_->ended = true;
                   impl_->io.stop();
                 });
  impl_->io.restart();
  impl_->io.run_for(std::chrono::seconds(10));
  if (failure) std::rethrow_exception(failure);
  return impl_->ended;
}

async::Task<> Loop::pause(Duration time) {
  asio::steady_timer timer(impl_->io, time);
  error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

struct RawSocket::Impl {
  explicit Impl(tcp::socket given) : socket(std::move(given)) {}
  tcp::socket socket;
  std::string unread;
};

async::Task<RawSocket> RawSocket::connect(Loop& loop, std::uint16_t port) {
  tcp::socket socket(loop.executor());
  error_code error;
  const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
  co_await socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
  socket.set_option(tcp::no_delay(true), error);
  RawSocket raw;
  raw.impl_ = std::make_shared<Impl>(std::move(socket));
  co_return raw;
}

async::Task<bool> RawSocket::send(std::string bytes) {
  const auto keep = impl_;
  error_code error;
  co_await asio::async_write(keep->socket, asio::buffer(bytes),
                             asio::redirect_error(asio::use_awaitable, error));
  co_return !error;
}

async::Task<std::string> RawSocket::read_some() {
  const auto keep = impl_;
  if (!keep->unread.empty()) co_return std::exchange(keep->unread, "");
  std::string into(16 * 1024, '\0');
  error_code error;
  const std::size_t size = co_await keep->socket.async_read_some(
      asio::buffer(into), asio::redirect_error(asio::use_awaitable, error));
  into.resize(error ? 0 : size);
  co_return into;
}

async::Task<std::string> RawSocket::read_until(std::string marker) {
  std::string all;
  while (true) {
    const std::string part = co_await read_some();
    all += part;
    const std::size_t found = all.find(marker);
    if (found != std::string::npos) {
      impl_->unread = all.substr(found + marker.size());
      all.resize(found + marker.size());
      co_return all;
    }
    if (part.empty()) co_return all;
  }
}

async::Task<std::string> RawSocket::read_to_end() {
  std::string all;
  while (true) {
    const std::string part = co_await read_some();
    if (part.empty()) co_return all;
    all += part;
  }
}

async::Task<std::string> RawSocket::read_request() {
  std::string request = co_await read_until("\r\n\r\n");
  const std::size_t field = request.find("Content-Length: ");
  if (field == std::string::npos) co_return request;
  std::size_t size = 0;
  std::from_chars(request.data() + field + 16, request.data() + request.size(), size);
  const std::size_t whole = request.size() + size;
  while (request.size() < whole) {
    const std::string part = co_await read_some();
    if (part.empty()) co_return "";
    request += part;
  }
  impl_->unread = request.substr(whole);
  request.resize(whole);
  co_return request;
}

void RawSocket::half_close() {
  error_code ignored;
  impl_->socket.shutdown(tcp::socket::shutdown_send, ignored);
}

void RawSocket::reset() {
  error_code ignored;
  impl_->socket.set_option(asio::socket_base::linger(true, 0), ignored);
  impl_->socket.close(ignored);
}

void RawSocket::close() {
  error_code ignored;
  impl_->socket.close(ignored);
}

struct RawServer::Impl {
  Impl(Loop& a_loop, Script given)
      : loop(a_loop),
        script(std::move(given)),
        acceptor(a_loop.executor(), tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}
  Loop& loop;
  Script script;
  tcp::acceptor acceptor;
  std::uint16_t port = acceptor.local_endpoint().port();
  int connections = 0;

  static async::Task<> accept_loop(std::shared_ptr<Impl> self) {
    while (self->acceptor.is_open()) {
      tcp::socket socket(self->loop.executor());
      error_code error;
      co_await self->acceptor.async_accept(socket,
                                           asio::redirect_error(asio::use_awaitable, error));
      if (error) continue;
      socket.set_option(tcp::no_delay(true), error);
      ++self->connections;
      RawSocket raw;
      raw.impl_ = std::make_shared<RawSocket::Impl>(std::move(socket));
      self->loop.spawn(self->script(std::move(raw)));
    }
  }
};

RawServer::RawServer(Loop& loop, Script script)
    : impl_(std::make_shared<Impl>(loop, std::move(script))) {
  loop.spawn(Impl::accept_loop(impl_));
}

RawServer::~RawServer() { stop(); }
std::uint16_t RawServer::port() const { return impl_->port; }
int RawServer::connections() const { return impl_->connections; }

void RawServer::stop() {
  error_code ignored;
  impl_->acceptor.close(ignored);
}

struct DeafServer::Impl {
  explicit Impl(Loop& loop) : acceptor(loop.executor(), tcp::v4()) {
    acceptor.bind(tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    acceptor.listen(0);
    // A queue of length 0 still takes one; the kernel then drops every further SYN.
    for (int i = 0; i < 4; ++i) {
      tcp::socket& socket = fillers.emplace_back(loop.executor(), tcp::v4());
      socket.native_non_blocking(true);
      const tcp::endpoint to = acceptor.local_endpoint();
      const int started = ::connect(socket.native_handle(), to.data(),
                                    static_cast<socklen_t>(to.size()));
      if (started != 0 && errno != EINPROGRESS) throw std::runtime_error("connect");
    }
  }
  tcp::acceptor acceptor;
  std::vector<tcp::socket> fillers;
};

DeafServer::DeafServer(Loop& loop) : impl_(std::make_unique<Impl>(loop)) {}
DeafServer::~DeafServer() = default;
std::uint16_t DeafServer::port() const { return impl_->acceptor.local_endpoint().port(); }

std::uint16_t closed_port(Loop& loop) {
  tcp::acceptor taken(loop.executor(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  return taken.local_endpoint().port();
}

}  // namespace weir::net::testing
