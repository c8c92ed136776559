// SPDX-License-Identifier: Apache-2.0
// One connection of the HTTP server: read a request, run the handle, write the answer, repeat. Includes Asio: for the
// server's own sources only.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "async/task.h"
#include "net/body_reader.h"
#include "net/http_parser.h"
#include "net/http_server.h"
#include "net/input_buffer.h"

namespace weir::net {

// What the connections of one server share.
struct ServerShared {
  HttpServerOptions options;
  HttpServer::Handle handle;
  HttpServerCounts counts;
  MonoTime now{};         // refreshed by the sweep and by accept: timeouts need no more
  bool draining = false;
};

// idle -> head -> body -> running -> answering -> idle | lingering -> (gone)
enum class ConnectionPhase : std::uint8_t { idle, head, body, running, answering, lingering };

class ServerConnection {
 public:
  ServerConnection(boost::asio::ip::tcp::socket socket, std::shared_ptr<ServerShared> shared);

  // The whole life of the connection.
  async::Task<> serve();
  // Called by the sweep: acts if the phase's deadline has passed.
  void check_deadline(MonoTime now);
  ConnectionPhase phase() const { return phase_; }
  // Ends whatever runs; a running handle is not interrupted, its answer is dropped.
  void close();

 private:
  void enter(ConnectionPhase phase, Duration timeout);
  async::Task<bool> read_request();
  async::Task<bool> read_more();
  async::Task<bool> send_continue();
  async::Task<bool> answer_request();
  async::Task<bool> write_response(HttpResponse response, bool head_only, bool keep_alive);
  async::Task<bool> write_all(std::string_view head, std::string_view body);
  async::Task<> refuse_and_linger(RequestRefusal refusal);
  async::Task<> linger();

  boost::asio::ip::tcp::socket socket_;
  std::shared_ptr<ServerShared> shared_;
  RequestParser parser_;
  InputBuffer input_;
  std::string head_;          // of the answer, reused
  std::string peer_;
  ConnectionPhase phase_ = ConnectionPhase::idle;
  MonoTime phase_start_{};
  MonoTime deadline_ = MonoTime::max();
  std::uint64_t body_wire_bytes_ = 0;
  bool timed_out_ = false;
};

}  // namespace weir::net
