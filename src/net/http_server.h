// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server for the API: bounded in everything a client controls. Plain TCP or TLS; used
// on one thread.
//
// One request per connection at a time; pipelined ones wait in the connection's buffer, and nothing
// is read from the socket while a request runs. Malformed requests are answered with a problem (RFC
// 9457) and the connection is closed. Timeouts are kept by one sweep over all connections, so they
// are late by up to `sweep_interval`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "async/clock.h"
#include "async/task.h"
#include "base/result.h"
#include "net/http_message.h"
#include "net/http_parser.h"
#include "net/tls_listener.h"

namespace weir::net {

struct HttpServerOptions {
  RequestLimits request;
  std::size_t connections = 1024;  // above it: 503 and close
  // The same for those of one peer: an IPv4 address or an IPv6 /64. 0: a quarter of `connections`,
  // and none for loopback, where a proxy speaks for everybody.
  std::size_t connections_per_address = 0;
  // Of all requests that arrive or are handled now; a request still arriving above it: 503.
  std::size_t bodies_bytes = 64 * 1024 * 1024;
  Duration header_timeout = std::chrono::seconds(
      10);  // accept to first byte, handshake included; first byte to end of the head: 408
  Duration body_grace = std::chrono::seconds(
      10);  // a body may take this long plus its size at body_rate_min: 408
  std::size_t body_rate_min = 1024;  // bytes per second, for answers being read by the client too
  Duration idle_timeout = std::chrono::seconds(75);  // between requests; closed without a word
  Duration write_grace = std::chrono::seconds(30);   // as body_grace, for our answer; then closed
  Duration linger = std::chrono::seconds(
      1);  // after an error answer, so that the client can read it
  Duration sweep_interval = std::chrono::milliseconds(100);
};

struct HttpServerCounts {
  std::size_t open = 0;           // connections
  std::size_t running = 0;        // requests being handled
  std::size_t bodies_bytes = 0;   // of requests that arrive or are handled now
  std::uint64_t requests = 0;     // answered by the handle
  std::uint64_t refused = 0;      // malformed, too large, too slow
  std::uint64_t turned_away = 0;  // connections above a cap
  std::uint64_t accept_failures = 0;
  std::uint64_t handshake_failures = 0;
};

class HttpServer {
 public:
  // Must not throw. Runs on the server's thread; several run at once.
  using Handle = std::function<async::Task<HttpResponse>(HttpRequest)>;
  // Looks at a request whose body is still to come. An answer is given at once, the body is not
  // kept, and the connection ends: whoever may not ask gets no memory for what they send.
  using Screen = std::function<std::optional<HttpResponse>(const HttpRequest&)>;

  HttpServer(async::Executor executor, async::Clock& clock, HttpServerOptions options,
             Handle handle);
  // Only after drain() returned, or if listen() was never successful.
  ~HttpServer();

  // Binds and starts accepting. `host` is a literal address or "localhost"; port 0 takes any free
  // port. Errors: address_in_use; invalid_argument for an address that cannot be bound.
  Result<> listen(const std::string& host, std::uint16_t port);
  std::uint16_t port() const;
  // From the next request on. A connection that is open keeps the `request` limits it began with,
  // and stays open above a new cap.
  void update(HttpServerOptions options);
  // From the next connection on; nullptr is plain TCP. Those that are open go on as they are.
  void use_tls(std::shared_ptr<TlsListener> listener);
  void screen_with(Screen screen);
  void stop_accepting();
  // Stops accepting, closes idle connections, lets running requests finish and be answered with
  // `Connection: close`. At the deadline whatever is left is cut. Returns when no connection is
  // left; handles must end by themselves.
  async::Task<> drain(MonoTime deadline);
  HttpServerCounts counts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::net
