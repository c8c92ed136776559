// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "net/stream.h"
#include "net/tcp_socket.h"

namespace weir::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

Fault connect_fault(const error_code& error) {
  if (error == asio::error::connection_refused) return Fault::refused;
  if (error == asio::error::connection_reset) return Fault::refused;  // right after the handshake
  if (error == asio::error::timed_out) return Fault::connectTimeout;
  return Fault::unreachable;
}

std::array<asio::const_buffer, 2> gather(std::string_view head, std::string_view body) {
  return {asio::const_buffer(head.data(), head.size()),
          asio::const_buffer(body.data(), body.size())};
}

class TcpStream final : public Stream {
 public:
  explicit TcpStream(const async::Executor& executor) : socket_(executor) {}

  async::Task<ConnectResult> connect(IpAddress address) override {
    return connect_socket(socket_, std::move(address));
  }

  Transfer write_now(std::string_view head, std::string_view body) override {
    error_code error;
    const std::size_t bytes = socket_.write_some(gather(head, body), error);
    if (!error || error == asio::error::would_block) return {bytes, StreamEnd::none, ""};
    return {bytes, StreamEnd::broken, error.message()};
  }

  async::Task<Transfer> write(std::string_view head, std::string_view body) override {
    error_code error;
    const std::size_t bytes = co_await asio::async_write(
        socket_, gather(head, body), asio::redirect_error(asio::use_awaitable, error));
    if (!error) co_return Transfer{bytes, StreamEnd::none, ""};
    co_return Transfer{bytes, StreamEnd::broken, error.message()};
  }

  async::Task<Transfer> read_some(std::span<char> into) override {
    error_code error;
    const std::size_t bytes = co_await socket_.async_read_some(
        asio::mutable_buffer(into.data(), into.size()),
        asio::redirect_error(asio::use_awaitable, error));
    if (!error) co_return Transfer{bytes, StreamEnd::none, ""};
    co_return Transfer{bytes, stream_end(error), error.message()};
  }

  bool is_quiet() override { return socket_is_quiet(socket_); }
  void close() override { close_socket(socket_); }

 private:
  tcp::socket socket_;
};

}  // namespace

StreamEnd stream_end(const error_code& error) {
  if (!error) return StreamEnd::none;
  return error == asio::error::eof ? StreamEnd::eof : StreamEnd::broken;
}

async::Task<ConnectResult> connect_socket(tcp::socket& socket, IpAddress address) {
  error_code error;
  const tcp::endpoint endpoint(asio::ip::make_address(address.text, error), address.port);
  const auto failed = [&] {
    return ConnectResult{connect_fault(error), fmt::format("connect to {}:{}: {}", address.text,
                                                           address.port, error.message())};
  };
  if (error) co_return failed();
  socket.open(endpoint.protocol(), error);
  if (error) co_return failed();
  co_await socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return failed();
  socket.set_option(tcp::no_delay(true), error);
  if (!error) socket.non_blocking(true, error);
  if (error) co_return failed();
  co_return ConnectResult{};
}

bool socket_is_quiet(tcp::socket& socket) {
  if (!socket.is_open()) return false;
  char byte = 0;
  const ssize_t got = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void close_socket(tcp::socket& socket) {
  error_code ignored;  // nothing can be done about a close that fails
  socket.close(ignored);
}

std::unique_ptr<Stream> tcp_stream(async::Executor executor) {
  return std::make_unique<TcpStream>(std::move(executor));
}

}  // namespace weir::net
