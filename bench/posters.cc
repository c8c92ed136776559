// SPDX-License-Identifier: Apache-2.0
#include "posters.h"

#include <cerrno>
#include <charconv>

#include "options.h"

namespace weir::bench {
namespace {

int status_of(std::string_view first_line) {
  int status = 0;
  const std::size_t blank = first_line.find(' ');
  if (blank != first_line.npos) {
    std::from_chars(first_line.data() + blank + 1, first_line.data() + first_line.size(), status);
  }
  return status;
}

}  // namespace

Posters::Posters(std::uint16_t port, std::uint32_t connections, Answered answered)
    : answered_(std::move(answered)) {
  for (std::uint32_t number = 0; number < connections; ++number) {
    wires_.emplace_back(connect_to(port));
    poller_.add(wires_.back().socket(), number);
  }
}

void Posters::post(std::uint32_t connection, std::string_view head, std::string_view body) {
  Wire& wire = wires_[connection];
  // One packet, one system call: a short request is cheaper to copy than to send in two parts.
  static std::string whole;
  whole.assign(head);
  whole.append(body);
  if (!wire.send(whole)) fail("the server closed a connection");
}

void Posters::wait(std::int64_t micros) {
  poller_.wait(micros, [this](std::uint32_t connection, std::uint32_t) {
    if (!wires_[connection].flush()) fail("the server closed a connection");
    receive(connection);
  });
}

void Posters::receive(std::uint32_t connection) {
  Wire& wire = wires_[connection];
  const bool open = wire.receive();
  for (;;) {
    const HttpMessage answer = parse_http(wire.received());
    errno = 0;
    if (answer.state == HttpMessage::State::broken) fail("the server answers no HTTP");
    if (answer.state == HttpMessage::State::incomplete) break;
    const int status = status_of(answer.first_line);
    const std::string body(answer.body);
    wire.take(answer.size);
    answered_(connection, status, body);
  }
  errno = 0;
  if (!open) fail("the server closed a connection");
}

}  // namespace weir::bench
