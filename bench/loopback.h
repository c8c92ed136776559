// SPDX-License-Identifier: Apache-2.0
// Sockets on 127.0.0.1, and as much of HTTP/1.1 as programs need that know their peer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::bench {

// Non-blocking, no delay. These exit through fail() when the system refuses.
int listen_on(std::uint16_t port);
int accept_from(int listener);  // -1 when nobody waits
int connect_to(std::uint16_t port);

// One message at the start of `bytes`: head, and a body of Content-Length bytes.
struct HttpMessage {
  enum class State : std::uint8_t { incomplete, complete, broken } state = State::incomplete;
  std::string_view first_line;
  std::size_t size = 0;  // of head and body; 0 unless complete
  std::string_view body;
};
HttpMessage parse_http(std::string_view bytes);

// Sends and receives on one non-blocking socket. False once the peer is gone.
class Wire {
 public:
  explicit Wire(int socket) : socket_(socket) {}
  int socket() const { return socket_; }

  // Sends now what the kernel takes and keeps the rest for flush().
  bool send(std::string_view bytes);
  bool flush();
  bool wants_to_send() const { return sent_ < unsent_.size(); }
  // Appends what has arrived to received().
  bool receive();
  std::string_view received() const { return std::string_view(received_).substr(taken_); }
  void take(std::size_t bytes);

 private:
  int socket_;
  std::string unsent_;
  std::size_t sent_ = 0;
  std::string received_;
  std::size_t taken_ = 0;
};

// epoll for sockets that are told apart by a number. Exits through fail().
class Poller {
 public:
  Poller();
  void add(int socket, std::uint32_t number);  // edge-triggered, for reading and writing
  // Waits at most `micros` (-1 = for ever) and calls with (number, events).
  template <class Ready>
  void wait(std::int64_t micros, Ready&& ready) {
    const int count = wait_for_events(micros);
    for (int i = 0; i < count; ++i) ready(number_at(i), events_at(i));
  }

 private:
  static constexpr int kEventsMax = 256;
  int wait_for_events(std::int64_t micros);
  std::uint32_t number_at(int i) const;
  std::uint32_t events_at(int i) const;

  int epoll_;
  std::string ready_;  // epoll_event[kEventsMax]
};

}  // namespace weir::bench
