// SPDX-License-Identifier: Apache-2.0
// Peers made of raw bytes on real loopback sockets, for tests: a client that breaks every rule, a
// server that answers by script. Everything runs on one Loop; a test that hangs ends after ten
// seconds and fails.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "async/clock.h"
#include "async/task.h"

namespace weir::net::testing {

// An io_context of its own, run until the test's coroutine has returned.
class Loop {
 public:
  Loop();
  ~Loop();
  async::Executor executor();
  async::Clock& clock();
  // False if it did not end in time.
  bool run(async::Task<> test);
  // For what is itself about time, and for nothing longer than 200 ms.
  async::Task<> pause(Duration time);
  // A child of the test; finished before run() returns.
  void spawn(async::Task<> child);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One end of a connection. Copies share it.
class RawSocket {
 public:
  static async::Task<RawSocket> connect(Loop& loop, std::uint16_t port);
  // False when the peer does not take it (any more).
  async::Task<bool> send(std::string bytes);
  // "" at the end of the stream or after a reset.
  async::Task<std::string> read_some();
  // Everything up to and including `marker`, or up to the end of the stream.
  async::Task<std::string> read_until(std::string marker);
  async::Task<std::string> read_to_end();
  // A request with its body by Content-Length; "" at the end of the stream.
  async::Task<std::string> read_request();
  void half_close();
  void reset();  // RST
  void close();

 private:
  friend class RawServer;
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// Runs `script` for every connection, at once for each.
class RawServer {
 public:
  using Script = std::function<async::Task<>(RawSocket)>;
  RawServer(Loop& loop, Script script);
  ~RawServer();
  std::uint16_t port() const;
  int connections() const;  // accepted so far
  void stop();              // closes the listening socket; the test must call it before it ends

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// A listening socket whose queue is full: connecting to it gets no answer.
class DeafServer {
 public:
  explicit DeafServer(Loop& loop);
  ~DeafServer();
  std::uint16_t port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A port on which nobody listens.
std::uint16_t closed_port(Loop& loop);

}  // namespace weir::net::testing
