// SPDX-License-Identifier: Apache-2.0
#include "net/http_server.h"

#include <array>
#include <list>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "async/task_group.h"
#include "net/peer_counts.h"
#include "net/server_connection.h"

namespace weir::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr int kBacklog = 1024;
constexpr Duration kAcceptPause = std::chrono::milliseconds(200);
constexpr std::size_t kTurnedAwayMax = 64;

std::string turned_away_text(const HttpServerOptions& options) {
  const Error error{Code::too_many_connections,
                    fmt::format("more than {} connections are open, or too many from one address",
                                options.connections),
                    ""};
  const HttpResponse response = problem_response(error);
  return fmt::format(
      "HTTP/1.1 503 {}\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n"
      "content-length: {}\r\nconnection: close\r\n\r\n{}",
      reason_phrase(503), response.body.size(), response.body);
}

std::string address_of(const tcp::socket& socket) {
  error_code gone;  // its first read will fail
  const tcp::endpoint remote = socket.remote_endpoint(gone);
  return gone ? std::string{} : remote.address().to_string();
}

}  // namespace

struct HttpServer::Impl {
  Impl(async::Executor given, async::Clock& a_clock, HttpServerOptions options, Handle handle)
      : executor(given),
        clock(a_clock),
        shared(std::make_shared<ServerShared>()),
        acceptor(given),
        accept_pause(given),
        sweep_timer(given),
        group(given),
        turned_away_answer(turned_away_text(options)) {
    shared->options = options;
    shared->handle = std::move(handle);
  }

  async::Executor executor;
  async::Clock& clock;
  std::shared_ptr<ServerShared> shared;
  tcp::acceptor acceptor;
  asio::steady_timer accept_pause;
  asio::steady_timer sweep_timer;
  async::TaskGroup group;
  std::list<ServerConnection> connections;
  PeerCounts peers;  // of those
  std::string turned_away_answer;
  std::vector<tcp::socket>
      turned_away;  // answered; closed by the next sweep, when the answer has been read
  MonoTime drain_deadline = MonoTime::max();
  bool sweeping = false;

  async::Task<> accept_loop();
  async::Task<> serve(std::list<ServerConnection>::iterator connection, std::string peer);
  async::Task<> sweep_loop();
  async::Task<> pause_accepting();
  void admit(tcp::socket socket);
  void turn_away(tcp::socket socket);
  void start_sweeping();
  void sweep();
  void stop_accepting();
};

async::Task<> HttpServer::Impl::accept_loop() {
  while (acceptor.is_open()) {
    tcp::socket socket(executor);
    error_code error;
    co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted || !acceptor.is_open()) co_return;
    if (error) {
      ++shared->counts.accept_failures;
      // Out of descriptors or memory: the waiting client stays in the backlog, asking again at once
      // would only spin.
      const bool client_gone = error == asio::error::connection_aborted;
      if (!client_gone) co_await pause_accepting();
      continue;
    }
    admit(std::move(socket));
  }
}

async::Task<> HttpServer::Impl::pause_accepting() {
  error_code ignored;
  accept_pause.expires_after(kAcceptPause);
  co_await accept_pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

void HttpServer::Impl::admit(tcp::socket socket) {
  if (!sweeping) start_sweeping();
  if (connections.size() >= shared->options.connections) return turn_away(std::move(socket));
  const std::string peer = peer_of(address_of(socket));
  if (!peers.admit(peer, shared->options.connections_per_address, shared->options.connections))
    return turn_away(std::move(socket));
  const auto connection = connections.emplace(connections.end(), std::move(socket), shared);
  shared->counts.open = connections.size();
  group.spawn(serve(connection, peer));
}

async::Task<> HttpServer::Impl::serve(std::list<ServerConnection>::iterator connection,
                                      std::string peer) {
  co_await connection->serve();
  connections.erase(connection);
  peers.leave(peer);
  shared->counts.open = connections.size();
}

void HttpServer::Impl::turn_away(tcp::socket socket) {
  ++shared->counts.turned_away;
  if (shared->tls) return;  // closed: a handshake for one word would cost more than the answer
  error_code error;
  socket.non_blocking(true, error);
  if (!error) socket.write_some(asio::buffer(turned_away_answer), error);
  if (!error) socket.shutdown(tcp::socket::shutdown_send, error);
  if (!error && turned_away.size() < kTurnedAwayMax) turned_away.push_back(std::move(socket));
}

void HttpServer::Impl::start_sweeping() {
  sweeping = true;
  shared->now = clock.mono();
  group.spawn(sweep_loop());
}

// Runs while there is anything to watch.
async::Task<> HttpServer::Impl::sweep_loop() {
  do {
    error_code ignored;
    sweep_timer.expires_after(shared->options.sweep_interval);
    co_await sweep_timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    sweep();
  } while (!connections.empty() || !turned_away.empty());
  sweeping = false;
}

void HttpServer::Impl::sweep() {
  shared->now = clock.mono();
  turned_away.clear();
  const bool cut = shared->now >= drain_deadline;
  for (ServerConnection& connection : connections) {
    if (cut) connection.close();
    connection.check_deadline(shared->now);
  }
}

void HttpServer::Impl::stop_accepting() {
  error_code ignored;
  acceptor.close(ignored);
  accept_pause.cancel();
}

HttpServer::HttpServer(async::Executor executor, async::Clock& clock, HttpServerOptions options,
                       Handle handle)
    : impl_(std::make_unique<Impl>(std::move(executor), clock, std::move(options),
                                   std::move(handle))) {}

HttpServer::~HttpServer() = default;

Result<> HttpServer::listen(const std::string& host, std::uint16_t port) {
  error_code error;
  const tcp::endpoint endpoint(
      asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error), port);
  if (error)
    return Error{Code::invalid_argument,
                 fmt::format("'{}' is not an IP address to listen on", host), ""};
  tcp::acceptor& acceptor = impl_->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(kBacklog, error);
  if (error) {
    error_code ignored;
    acceptor.close(ignored);
    const std::string what = fmt::format("listen on {}:{}: {}", host, port, error.message());
    if (error != asio::error::address_in_use) return Error{Code::invalid_argument, what, ""};
    return Error{
        Code::address_in_use, what,
        fmt::format(
            "another process listens there (`ss -ltnp 'sport = :{}'` names it); stop it or choose "
            "another address in `listen.http`",
            port)};
  }
  impl_->group.spawn(impl_->accept_loop());
  return {};
}

std::uint16_t HttpServer::port() const {
  error_code error;
  const tcp::endpoint endpoint = impl_->acceptor.local_endpoint(error);
  return error ? 0 : endpoint.port();
}

void HttpServer::update(HttpServerOptions options) {
  impl_->turned_away_answer = turned_away_text(options);
  impl_->shared->options = options;
}

void HttpServer::use_tls(std::shared_ptr<TlsListener> listener) {
  impl_->shared->tls = std::move(listener);
}

void HttpServer::screen_with(Screen screen) { impl_->shared->screen = std::move(screen); }

void HttpServer::stop_accepting() { impl_->stop_accepting(); }

async::Task<> HttpServer::drain(MonoTime deadline) {
  impl_->stop_accepting();
  impl_->shared->draining = true;
  impl_->drain_deadline = deadline;
  for (ServerConnection& connection : impl_->connections) {
    if (connection.phase() == ConnectionPhase::idle) connection.close();
  }
  co_await impl_->group.join();
}

HttpServerCounts HttpServer::counts() const { return impl_->shared->counts; }

}  // namespace weir::net
