// SPDX-License-Identifier: Apache-2.0
// A service that answers every request at once: 204, or the statuses of --status in that proportion
// ("204:98,503:2"), after --delay-ms. A path that starts with /status/NNN always gets NNN. GET
// /counts tells what was answered. GET /control?delay-ms=N changes the delay. Ends on SIGTERM.
#include <charconv>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <sys/epoll.h>
#include <unistd.h>
#include <vector>

#include "loopback.h"
#include "measure.h"
#include "options.h"

namespace weir::bench {
namespace {

constexpr std::uint32_t kListener = UINT32_MAX;
constexpr std::size_t kConnectionsMax = 10'000;

int number_after(std::string_view text, std::string_view name, int otherwise) {
  const std::size_t at = text.find(name);
  if (at == text.npos) return otherwise;
  int value = otherwise;
  std::from_chars(text.data() + at + name.size(), text.data() + text.size(), value);
  return value;
}

// "204:98,503:2" as a list with one entry per share, spread evenly enough for a breaker's window.
std::vector<int> status_cycle(const std::string& mix) {
  std::vector<std::pair<int, int>> shares;
  for (std::size_t at = 0; at < mix.size();) {
    const std::size_t comma = std::min(mix.find(',', at), mix.size());
    const std::string one = mix.substr(at, comma - at);
    const int status = number_after(one, "", 0);
    const int share = number_after(one, ":", 1);
    if (status < 200 || status > 599 || share < 1 || share > 1000) fail("--status " + mix);
    shares.emplace_back(status, share);
    at = comma + 1;
  }
  std::vector<int> cycle;
  for (int round = 0; round < 1000; ++round) {
    for (const auto& [status, share] : shares) {
      if (round < share) cycle.push_back(status);
    }
  }
  return cycle;
}

std::string answer_with(int status) {
  const std::string line = "HTTP/1.1 " + std::to_string(status) + " Answer\r\n";
  return line + (status == 204 || status == 304 ? "\r\n" : "Content-Length: 0\r\n\r\n");
}

class Receiver {
 public:
  Receiver(std::uint16_t port, int delay_millis, const std::string& mix)
      : listener_(listen_on(port)), delay_micros_(delay_millis * 1000), cycle_(status_cycle(mix)) {
    poller_.add(listener_, kListener);
  }

  [[noreturn]] void run() {
    for (;;) {
      poller_.wait(micros_to_next(), [this](std::uint32_t number, std::uint32_t events) {
        if (number == kListener) {
          accept_all();
        } else {
          serve(number, events);
        }
      });
      answer_late_ones();
    }
  }

 private:
  struct Late {
    std::int64_t due;
    std::uint32_t connection;
    std::uint64_t generation;
    int status;
  };
  struct Connection {
    Wire wire;
    std::uint64_t generation;
  };

  std::int64_t micros_to_next() const {
    if (late_.empty()) return -1;
    return std::max<std::int64_t>(0, late_.front().due - monotonic_micros());
  }

  void accept_all() {
    for (int socket = accept_from(listener_); socket >= 0; socket = accept_from(listener_)) {
      std::uint32_t number = 0;
      while (number < connections_.size() && connections_[number]) ++number;
      if (number == kConnectionsMax) {
        close(socket);
        continue;
      }
      if (number == connections_.size()) connections_.emplace_back();
      connections_[number] = std::make_unique<Connection>(Wire(socket), ++generation_);
      poller_.add(socket, number);
    }
  }

  void drop(std::uint32_t number) {
    close(connections_[number]->wire.socket());
    connections_[number].reset();
  }

  void serve(std::uint32_t number, std::uint32_t events) {
    if (!connections_[number]) return;
    Wire& wire = connections_[number]->wire;
    const bool gone = !wire.flush() || !wire.receive() || (events & (EPOLLERR | EPOLLHUP)) != 0;
    for (;;) {
      const HttpMessage request = parse_http(wire.received());
      if (request.state == HttpMessage::State::broken) return drop(number);
      if (request.state == HttpMessage::State::incomplete) break;
      take_request(number, request);
      wire.take(request.size);
    }
    if (gone) drop(number);
  }

  void take_request(std::uint32_t number, const HttpMessage& request) {
    const std::size_t path = request.first_line.find(' ') + 1;
    const std::string_view target = request.first_line.substr(path);
    if (target.starts_with("/counts") || target.starts_with("/control")) {
      delay_micros_ = number_after(target, "delay-ms=", delay_micros_ / 1000) * 1000;
      return answer_counts(number);
    }
    last_ = wall_seconds();
    if (first_ == 0) first_ = last_;
    int status = number_after(target, "/status/", 0);
    if (status == 0) status = cycle_[requests_ % cycle_.size()];
    ++requests_;
    ++by_status_[status];
    if (delay_micros_ == 0) return answer(number, status);
    const std::uint64_t generation = connections_[number]->generation;
    const std::int64_t due = monotonic_micros() + delay_micros_;
    // In order of due time even after the delay was made shorter.
    auto place = late_.end();
    while (place != late_.begin() && std::prev(place)->due > due) --place;
    late_.insert(place, {due, number, generation, status});
  }

  void answer_late_ones() {
    if (late_.empty()) return;
    const std::int64_t now = monotonic_micros();
    while (!late_.empty() && late_.front().due <= now) {
      const Late one = late_.front();
      late_.pop_front();
      const auto& connection = connections_[one.connection];
      if (connection && connection->generation == one.generation)
        answer(one.connection, one.status);
    }
  }

  void answer(std::uint32_t number, int status) {
    std::string& bytes = answers_[status];
    if (bytes.empty()) bytes = answer_with(status);
    (void)connections_[number]->wire.send(bytes);  // a peer that is gone shows up as an event
  }

  void answer_counts(std::uint32_t number) {
    char body[512];
    int size = std::snprintf(
        body, sizeof body, R"({"requests":%llu,"first":%.6f,"last":%.6f,"cpu":%.3f)",
        static_cast<unsigned long long>(requests_), first_, last_, process_cpu_seconds());
    for (const auto& [status, count] : by_status_) {
      if (size > 450) break;
      size += std::snprintf(body + size, sizeof body - size, R"(,"%d":%llu)", status,
                            static_cast<unsigned long long>(count));
    }
    const std::string text = std::string(body, size) + "}\n";
    (void)connections_[number]->wire.send(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
        std::to_string(text.size()) + "\r\n\r\n" + text);
  }

  Poller poller_;
  int listener_;
  int delay_micros_;
  std::vector<int> cycle_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::uint64_t generation_ = 0;
  std::deque<Late> late_;
  std::map<int, std::string> answers_;
  std::uint64_t requests_ = 0;
  std::map<int, std::uint64_t> by_status_;
  double first_ = 0;  // wall seconds of the first and the last request
  double last_ = 0;
};

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  const Options options(argc, argv, {{"port", "18681"}, {"delay-ms", "0"}, {"status", "204"}});
  Receiver receiver(static_cast<std::uint16_t>(options.number("port", 1, 65535)),
                    static_cast<int>(options.number("delay-ms", 0, 600'000)),
                    options.text("status"));
  receiver.run();
}
