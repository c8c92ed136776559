// SPDX-License-Identifier: Apache-2.0
// One connection of the HTTP server: read a request, run the handle, write the answer, repeat.
#pragma once

#include <memory>

#include "async/task.h"
#include "net/http_server.h"
#include "net/tcp_socket.h"

namespace weir::net {

// What the connections of one server share.
struct ServerShared {
  HttpServerOptions options;
  HttpServer::Handle handle;
  HttpServer::Screen screen;  // may be empty
  HttpServerCounts counts;
  std::shared_ptr<TlsListener> tls;  // of new connections
  MonoTime now{};                    // refreshed by the sweep and by accept: timeouts need no more
  bool draining = false;
};

// idle -> head -> body -> running -> answering -> idle | lingering -> (gone)
enum class ConnectionPhase : std::uint8_t { idle, head, body, running, answering, lingering };

class ServerConnection {
 public:
  ServerConnection(TcpSocket&& socket, std::shared_ptr<ServerShared> shared);
  ~ServerConnection();

  // The whole life of the connection.
  async::Task<> serve();
  // Called by the sweep: acts if the phase's deadline has passed.
  void check_deadline(MonoTime now);
  ConnectionPhase phase() const;
  // Ends whatever runs; a running handle is not interrupted, its answer is dropped.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::net
