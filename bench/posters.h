// SPDX-License-Identifier: Apache-2.0
// Keep-alive connections that each post one request at a time.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "loopback.h"

namespace weir::bench {

class Posters {
 public:
  // Answered: connection, status, body. The body is valid during the call. It may post again.
  using Answered = std::function<void(std::uint32_t, int, std::string_view)>;

  // Connects at once. Exits through fail() when a peer closes or answers no HTTP.
  Posters(std::uint16_t port, std::uint32_t connections, Answered answered);

  std::uint32_t size() const { return static_cast<std::uint32_t>(wires_.size()); }
  void post(std::uint32_t connection, std::string_view head, std::string_view body);
  // Waits at most `micros` (-1 = for ever) for answers.
  void wait(std::int64_t micros);

 private:
  void receive(std::uint32_t connection);

  Poller poller_;
  std::vector<Wire> wires_;
  Answered answered_;
};

}  // namespace weir::bench
