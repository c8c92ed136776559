// SPDX-License-Identifier: Apache-2.0
#include "loopback.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "options.h"

namespace weir::bench {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kHeadBytesMax = 64 * 1024;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void no_delay(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// The value of Content-Length, 0 without one, -1 if it is no number.
std::int64_t content_length(std::string_view head) {
  constexpr std::string_view kName = "content-length:";
  for (std::size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2);
    const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };  // letters, '-', ':'
    if (!std::ranges::equal(line.substr(0, kName.size()), kName, same)) continue;
    std::size_t digits = kName.size();
    while (digits < line.size() && line[digits] == ' ') ++digits;
    std::int64_t value = -1;
    std::from_chars(line.data() + digits, line.data() + line.size(), value);
    return value;
  }
  return 0;
}

}  // namespace

int listen_on(std::uint16_t port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) fail("socket");
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = loopback(port);
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  if (bind(listener, name, sizeof address) != 0) fail("bind to 127.0.0.1:" + std::to_string(port));
  if (listen(listener, SOMAXCONN) != 0) fail("listen");
  return listener;
}

int accept_from(int listener) {
  const int accepted = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted >= 0) no_delay(accepted);
  return accepted;
}

int connect_to(std::uint16_t port) {
  const int connected = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connected < 0) fail("socket");
  const sockaddr_in address = loopback(port);
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  if (connect(connected, name, sizeof address) != 0) {
    fail("connect to 127.0.0.1:" + std::to_string(port));
  }
  no_delay(connected);
  return connected;
}

HttpMessage parse_http(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == bytes.npos) {
    return {.state = bytes.size() > kHeadBytesMax ? HttpMessage::State::broken
                                                  : HttpMessage::State::incomplete};
  }
  const std::string_view head = bytes.substr(0, end);
  const std::int64_t length = content_length(head);
  if (length < 0) return {.state = HttpMessage::State::broken};
  const std::size_t size = end + 4 + static_cast<std::size_t>(length);
  if (bytes.size() < size) return {};
  return {.state = HttpMessage::State::complete,
          .first_line = head.substr(0, head.find("\r\n")),
          .size = size,
          .body = bytes.substr(end + 4, static_cast<std::size_t>(length))};
}

bool Wire::send(std::string_view bytes) {
  if (!wants_to_send()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) return false;
    bytes.remove_prefix(sent < 0 ? 0 : static_cast<std::size_t>(sent));
    unsent_.clear();
    sent_ = 0;
  }
  unsent_ += bytes;
  return true;
}

bool Wire::flush() {
  while (wants_to_send()) {
    const ssize_t sent = ::send(socket_, unsent_.data() + sent_, unsent_.size() - sent_,
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return errno == EAGAIN;
    sent_ += static_cast<std::size_t>(sent);
  }
  return true;
}

bool Wire::receive() {
  static char arrived[kReadBytes];  // these programs have one thread
  for (;;) {
    const ssize_t got = recv(socket_, arrived, kReadBytes, MSG_DONTWAIT);
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN;
    if (taken_ == received_.size()) {
      received_.clear();
      taken_ = 0;
    }
    received_.append(arrived, static_cast<std::size_t>(got));
    if (static_cast<std::size_t>(got) < kReadBytes) return true;
  }
}

void Wire::take(std::size_t bytes) { taken_ += bytes; }

Poller::Poller()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), ready_(kEventsMax * sizeof(epoll_event), '\0') {
  if (epoll_ < 0) fail("epoll_create1");
}

void Poller::add(int socket, std::uint32_t number) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.u32 = number}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) fail("epoll_ctl");
}

int Poller::wait_for_events(std::int64_t micros) {
  const timespec time{.tv_sec = micros / 1'000'000, .tv_nsec = micros % 1'000'000 * 1000};
  auto* events = reinterpret_cast<epoll_event*>(ready_.data());
  const int count = epoll_pwait2(epoll_, events, kEventsMax, micros < 0 ? nullptr : &time, nullptr);
  if (count < 0 && errno != EINTR) fail("epoll_pwait2");
  return count < 0 ? 0 : count;
}

std::uint32_t Poller::number_at(int i) const {
  return reinterpret_cast<const epoll_event*>(ready_.data())[i].data.u32;
}

std::uint32_t Poller::events_at(int i) const {
  return reinterpret_cast<const epoll_event*>(ready_.data())[i].events;
}

}  // namespace weir::bench
