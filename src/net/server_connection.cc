// SPDX-License-Identifier: Apache-2.0
#include "net/server_connection.h"

#include <array>
#include <charconv>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "net/body_reader.h"
#include "net/http_parser.h"
#include "net/input_buffer.h"

namespace weir::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t kRequestInputMax = 64 * 1024;
constexpr std::size_t kLingerBytesMax = 1024 * 1024;

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end);
}

bool has_no_body(int status) { return status / 100 == 1 || status == 204 || status == 304; }

// A header value of ours that came from data must not end the line.
void append_value(std::string& out, std::string_view value) {
  for (const char c : value) out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
}

void format_head(std::string& out, const HttpResponse& response, bool keep_alive) {
  out.assign("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(response.status));
  out += ' ';
  out += reason_phrase(response.status);
  out += "\r\n";
  for (const HttpHeader& header : response.headers) {
    out += header.name;
    out += ": ";
    append_value(out, header.value);
    out += "\r\n";
  }
  if (response.next_piece) {
    out += keep_alive ? "transfer-encoding: chunked\r\n" : "";
  } else if (!has_no_body(response.status)) {
    out += "content-length: ";
    append_number(out, response.body.size());
    out += "\r\n";
  }
  out += keep_alive ? "\r\n" : "connection: close\r\n\r\n";
}

RequestRefusal too_much_at_once() {
  return {Error{Code::overloaded, "more requests arrive at once than memory is set aside for",
                "try again after Retry-After; limits.pendingIngestBytes"},
          503};
}

Duration at_rate(std::uint64_t bytes, std::size_t per_second) {
  return Duration(bytes * 1'000'000 / std::max<std::size_t>(per_second, 1));
}

}  // namespace

using NextPiece = decltype(HttpResponse::next_piece);

struct ServerConnection::Impl {
  Impl(TcpSocket&& socket, std::shared_ptr<ServerShared> shared);
  ~Impl() { account_body(0); }
  async::Task<> serve();
  void check_deadline(MonoTime now);
  void close();
  void enter(ConnectionPhase phase, Duration timeout);
  void account_body(std::size_t bytes);
  async::Task<bool> begin_tls();
  async::Task<bool> read_request();
  async::Task<bool> screen_request();
  async::Task<bool> read_more();
  async::Task<bool> send_continue();
  async::Task<bool> answer_request();
  async::Task<bool> write_response(HttpResponse response, bool head_only, bool keep_alive);
  bool client_is_gone();
  async::Task<bool> write_pieces(NextPiece next_piece, bool chunked);
  async::Task<bool> write_all(std::string_view head, std::string_view body);
  async::Task<> refuse_and_linger(RequestRefusal refusal);
  async::Task<> answer_and_linger(HttpResponse response);
  async::Task<> linger();

  tcp::socket socket_;
  std::shared_ptr<ServerShared> shared_;
  std::unique_ptr<TlsLayer> tls_;  // none over plain TCP
  std::vector<std::string> peer_names_;
  RequestParser parser_;
  InputBuffer input_;
  std::string head_;  // of the answer, reused
  std::string peer_;
  ConnectionPhase phase_ = ConnectionPhase::idle;
  MonoTime phase_start_{};
  MonoTime deadline_ = MonoTime::max();
  std::uint64_t body_wire_bytes_ = 0;
  std::size_t body_bytes_ = 0;  // accounted for in what the connections share
  bool timed_out_ = false;
  bool refused_ = false;
};

ServerConnection::Impl::Impl(TcpSocket&& socket, std::shared_ptr<ServerShared> shared)
    : socket_(std::move(socket)),
      shared_(std::move(shared)),
      parser_(shared_->options.request),
      input_(std::max(kRequestInputMax, shared_->options.request.header_bytes + kChunkLineMax)) {
  error_code ignored;  // a peer that is gone already shows at the first read
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  const tcp::endpoint remote = socket_.remote_endpoint(ignored);
  const std::string address = remote.address().to_string();
  enter(ConnectionPhase::idle, shared_->options.header_timeout);
  peer_ = remote.address().is_v6() ? fmt::format("[{}]:{}", address, remote.port())
                                   : fmt::format("{}:{}", address, remote.port());
}

void ServerConnection::Impl::enter(ConnectionPhase phase, Duration timeout) {
  phase_ = phase;
  phase_start_ = shared_->now;
  deadline_ = timeout == Duration::max() ? MonoTime::max() : phase_start_ + timeout;
}

void ServerConnection::Impl::account_body(std::size_t bytes) {
  shared_->counts.bodies_bytes += bytes;
  shared_->counts.bodies_bytes -= std::exchange(body_bytes_, bytes);
}

void ServerConnection::Impl::check_deadline(MonoTime now) {
  if (now < deadline_ || timed_out_) return;
  timed_out_ = true;
  const bool deserves_answer = phase_ == ConnectionPhase::head || phase_ == ConnectionPhase::body;
  if (!deserves_answer) return close();
  error_code ignored;
  socket_.cancel(ignored);  // the reading coroutine wakes up and answers 408
}

void ServerConnection::Impl::close() {
  error_code ignored;
  socket_.close(ignored);
}

// The whole handshake has the time that a first byte has. Who speaks HTTP without TLS is told so.
async::Task<bool> ServerConnection::Impl::begin_tls() {
  tls_ = tls_layer(socket_, shared_->tls);
  const bool done = co_await tls_->handshake();
  if (done) {
    peer_names_ = tls_->peer_names();
    co_return true;
  }
  ++shared_->counts.handshake_failures;
  const bool plain = tls_->was_plain_http();
  tls_.reset();
  if (plain && socket_.is_open()) {
    RequestRefusal refusal{Error{Code::malformed_request, "this address speaks HTTP over TLS only",
                                 "use https:// instead of http://"},
                           400};
    co_await refuse_and_linger(std::move(refusal));
  }
  co_return false;
}

async::Task<> ServerConnection::Impl::serve() {
  bool go_on = true;
  if (shared_->tls) go_on = co_await begin_tls();
  while (go_on) {
    const bool complete = co_await read_request();
    if (!complete) break;
    go_on = co_await answer_request();
    parser_.restart();
    if (!go_on) break;
    if (shared_->draining) break;
    // A pipelined request has begun already.
    if (input_.empty()) {
      enter(ConnectionPhase::idle, shared_->options.idle_timeout);
    } else {
      enter(ConnectionPhase::head, shared_->options.header_timeout);
    }
  }
  if (tls_ && socket_.is_open() && !timed_out_ && !refused_) {
    enter(ConnectionPhase::lingering, shared_->options.linger);
    co_await tls_->finish();
  }
  close();
}

// False: the connection is to be closed, everything sayable has been said.
async::Task<bool> ServerConnection::Impl::read_request() {
  while (true) {
    const ParseState before = parser_.state();
    const std::size_t used = parser_.feed(input_.content());
    input_.consume(used);
    const ParseState after = parser_.state();
    account_body(parser_.request().body.size());
    if (after == ParseState::done) co_return true;
    if (after == ParseState::failed) {
      co_await refuse_and_linger(parser_.refusal());
      co_return false;
    }
    if (shared_->counts.bodies_bytes > shared_->options.bodies_bytes) {
      co_await refuse_and_linger(too_much_at_once());
      co_return false;
    }
    if (before == ParseState::head && after == ParseState::body) {
      const bool wanted = co_await screen_request();
      if (!wanted) co_return false;
      enter(ConnectionPhase::body, shared_->options.body_grace);
      body_wire_bytes_ = 0;
      if (parser_.wants_continue() && input_.empty()) {
        const bool sent = co_await send_continue();
        if (!sent) co_return false;
      }
    }
    if (used > 0 && !input_.empty()) continue;
    const bool more = co_await read_more();
    if (!more) co_return false;
  }
}

async::Task<bool> ServerConnection::Impl::read_more() {
  const std::span<char> space = input_.space();
  if (space.empty()) {
    RequestRefusal refusal{Error{Code::malformed_request, "the request cannot be read", ""}, 400};
    co_await refuse_and_linger(std::move(refusal));
    co_return false;
  }
  bool ended = false;
  std::size_t size = 0;
  if (tls_) {
    const Transfer read = co_await tls_->read_some(space);
    size = read.bytes;
    ended = read.end != StreamEnd::none;
  } else {
    error_code error;
    size = co_await socket_.async_read_some(asio::mutable_buffer(space.data(), space.size()),
                                            asio::redirect_error(asio::use_awaitable, error));
    ended = static_cast<bool>(error);
  }
  if (timed_out_ && socket_.is_open()) {
    const std::string_view what = phase_ == ConnectionPhase::head ? "header" : "body";
    RequestRefusal refusal{
        Error{Code::request_timeout, fmt::format("the {} did not arrive in time", what), ""}, 408};
    co_await refuse_and_linger(std::move(refusal));
    co_return false;
  }
  if (ended) co_return false;
  input_.commit(size);
  if (phase_ == ConnectionPhase::idle)
    enter(ConnectionPhase::head, shared_->options.header_timeout);
  if (phase_ == ConnectionPhase::body) {
    body_wire_bytes_ += size;
    deadline_ = phase_start_ + shared_->options.body_grace +
                at_rate(body_wire_bytes_, shared_->options.body_rate_min);
  }
  co_return true;
}

async::Task<bool> ServerConnection::Impl::send_continue() {
  co_return co_await write_all("HTTP/1.1 100 Continue\r\n\r\n", "");
}

async::Task<bool> ServerConnection::Impl::answer_request() {
  HttpRequest request = std::move(parser_.request());
  request.peer = peer_;
  request.peer_names = peer_names_;
  const bool head_only = request.method == "HEAD";
  enter(ConnectionPhase::running, Duration::max());
  ++shared_->counts.running;
  HttpResponse response = co_await shared_->handle(std::move(request));
  account_body(0);
  --shared_->counts.running;
  ++shared_->counts.requests;
  if (!socket_.is_open()) co_return false;
  const bool keep_alive = parser_.keep_alive() && !shared_->draining;
  const NextPiece next_piece = head_only ? nullptr : response.next_piece;
  bool written = co_await write_response(std::move(response), head_only, keep_alive);
  if (written && next_piece) written = co_await write_pieces(next_piece, keep_alive);
  co_return written&& keep_alive;
}

async::Task<bool> ServerConnection::Impl::write_response(HttpResponse response, bool head_only,
                                                         bool keep_alive) {
  format_head(head_, response, keep_alive);
  const bool with_body = !head_only && !has_no_body(response.status);
  const std::string_view body = with_body ? std::string_view(response.body) : std::string_view{};
  enter(ConnectionPhase::answering,
        shared_->options.write_grace + at_rate(body.size(), shared_->options.body_rate_min));
  co_return co_await write_all(head_, body);
}

// A write would only show it at the second try.
bool ServerConnection::Impl::client_is_gone() {
  char byte = 0;
  error_code error;
  socket_.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, error);
  return error && error != asio::error::would_block;
}

// One that is not chunked ends with the connection (RFC 9112, section 6.3).
async::Task<bool> ServerConnection::Impl::write_pieces(NextPiece next_piece, bool chunked) {
  for (;;) {
    enter(ConnectionPhase::running, Duration::max());
    std::string piece = co_await next_piece();
    if (!socket_.is_open() || client_is_gone()) co_return false;
    const bool last = piece.empty() || shared_->draining;
    std::string head;
    if (chunked) {
      if (!piece.empty()) head = fmt::format("{:x}\r\n", piece.size());
      if (!piece.empty()) piece += "\r\n";
      if (last) piece += "0\r\n\r\n";
    }
    enter(ConnectionPhase::answering,
          shared_->options.write_grace + at_rate(piece.size(), shared_->options.body_rate_min));
    const bool written = co_await write_all(head, piece);
    if (!written || last) co_return written;
  }
}

// Most answers fit into the socket's buffer: they go out at once, without a turn through the
// reactor.
async::Task<bool> ServerConnection::Impl::write_all(std::string_view head, std::string_view body) {
  if (tls_) co_return co_await tls_->write(head, body);
  std::array<asio::const_buffer, 2> buffers{asio::const_buffer(head.data(), head.size()),
                                            asio::const_buffer(body.data(), body.size())};
  error_code error;
  const std::size_t size = socket_.write_some(buffers, error);
  if (error && error != asio::error::would_block) co_return false;
  if (size == head.size() + body.size()) co_return true;
  const std::size_t of_head = std::min(size, head.size());
  buffers[0] += of_head;
  buffers[1] += size - of_head;
  co_await asio::async_write(socket_, buffers, asio::redirect_error(asio::use_awaitable, error));
  co_return !error;
}

// False: it was answered.
async::Task<bool> ServerConnection::Impl::screen_request() {
  if (!shared_->screen) co_return true;
  HttpRequest& request = parser_.request();
  request.peer = peer_;
  request.peer_names = peer_names_;
  auto answer = shared_->screen(request);
  if (!answer) co_return true;
  co_await answer_and_linger(*std::move(answer));
  co_return false;
}

async::Task<> ServerConnection::Impl::refuse_and_linger(RequestRefusal refusal) {
  HttpResponse response = problem_response(refusal.error, refusal.status);
  if (refusal.status == 503) response.headers.push_back({"retry-after", "1"});
  co_await answer_and_linger(std::move(response));
}

async::Task<> ServerConnection::Impl::answer_and_linger(HttpResponse response) {
  ++shared_->counts.refused;
  timed_out_ = false;
  refused_ = true;
  parser_.request().body = std::string();
  account_body(0);
  const bool written = co_await write_response(std::move(response), false, false);
  if (written) co_await linger();
}

// Closing with unread input would reset the connection and could take the answer with it: say
// that we are done, then read and drop for a little while.
async::Task<> ServerConnection::Impl::linger() {
  enter(ConnectionPhase::lingering, shared_->options.linger);
  error_code error;
  std::array<char, 4096> dropped;
  std::size_t total = 0;
  while (tls_ && total < kLingerBytesMax) {
    const Transfer read = co_await tls_->read_some(dropped);
    if (read.end != StreamEnd::none) co_return;
    total += read.bytes;
  }
  if (tls_) co_return;
  socket_.shutdown(tcp::socket::shutdown_send, error);
  while (!error && total < kLingerBytesMax) {
    total += co_await socket_.async_read_some(asio::buffer(dropped),
                                              asio::redirect_error(asio::use_awaitable, error));
  }
}

ServerConnection::ServerConnection(TcpSocket&& socket, std::shared_ptr<ServerShared> shared)
    : impl_(std::make_unique<Impl>(std::move(socket), std::move(shared))) {}
ServerConnection::~ServerConnection() = default;
async::Task<> ServerConnection::serve() { return impl_->serve(); }
void ServerConnection::check_deadline(MonoTime now) { impl_->check_deadline(now); }
ConnectionPhase ServerConnection::phase() const { return impl_->phase_; }
void ServerConnection::close() { impl_->close(); }

}  // namespace weir::net
