// SPDX-License-Identifier: Apache-2.0
// The calls to one dependency: a pool of keep-alive connections to one host, HTTP/1.1 over TCP or
// TLS.
//
// What may be repeated. A call is repeated here, once and on a fresh connection, only if the kernel
// took none of its bytes from us on a kept connection: nobody can have seen it. A kept connection
// that ends after the bytes were taken is ambiguous (the peer may have closed it before it read
// them, or after), so it is connectionClosed and maybeSeen; the caller's policy decides. To make
// that rare, a connection is looked at (peek) before every reuse, and dropped after `idle_timeout`
// or one second before the peer's own Keep-Alive timeout.
//
// Deadlines are kept by one sweep per pool while calls run, so they are late by up to
// `sweep_interval`.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "async/burst.h"
#include "async/clock.h"
#include "async/task.h"
#include "base/result.h"
#include "model/outcome.h"
#include "net/http_parser.h"
#include "net/stream.h"
#include "net/url.h"

namespace weir::net {

struct HttpClientOptions {
  Url url;                       // scheme, host and port count; path and query are the callers'
  std::string ca_file;           // extra trust anchors for https
  std::size_t connections = 64;  // at once: the dependency's concurrency cap
  std::size_t waiting =
      1024;  // calls in line for a connection; more are refused (cancelled, notSent)
  Duration connect_timeout = std::chrono::milliseconds(500);  // name look-up and TLS included
  Duration idle_timeout = std::chrono::seconds(30);
  Duration sweep_interval = std::chrono::milliseconds(5);
  EgressCheck egress;
  AnswerLimits answer;
};

// Views must live until the call returns.
struct HttpCall {
  std::string_view method = "POST";
  std::string_view target;   // origin form, percent-encoded
  std::string_view headers;  // complete lines, each with CRLF; without Host and Content-Length,
                             // which are added here
  std::string_view body;     // sent from where it is
  MonoTime deadline;
  async::Burst* burst = nullptr;  // the request waits until it is over, if there is one
};

struct HttpClientCounts {
  std::size_t busy = 0;
  std::size_t idle = 0;
  std::size_t waiting = 0;
  std::uint64_t connects = 0;  // attempts to open a connection
  std::uint64_t repeats = 0;   // calls sent again because nothing had been sent
};

// Used on one thread.
class HttpClientPool {
 public:
  // Error: config_invalid if the TLS settings cannot be loaded. Opens no connection yet.
  static Result<std::unique_ptr<HttpClientPool>> open(async::Executor executor, async::Clock& clock,
                                                      HttpClientOptions options);
  // After close() returned, or if nothing was ever called.
  ~HttpClientPool();

  // Never fails: whatever happens is an Outcome, with its latency (waiting and connecting
  // included). Redirects are not followed.
  async::Task<Outcome> call(HttpCall call);
  // Ends running and waiting calls with Fault::cancelled and returns when they have returned. No
  // call afterwards.
  async::Task<> close();
  HttpClientCounts counts() const;

 private:
  struct Impl;
  explicit HttpClientPool(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::net
