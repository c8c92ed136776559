// SPDX-License-Identifier: Apache-2.0
// S8: AWS Architecture Blog, "Exponential Backoff and Jitter" (2015), and its simulator: 100
// clients read a row and write it back under the condition that nobody else has written it in
// between; a conflict is tried again after a backoff. Messages take |N(10, 2)| ms each way.
#include <cmath>
#include <map>
#include <numbers>
#include <queue>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/rng.h"
#include "policy/backoff.h"

namespace weir::scenarios {
namespace {

using namespace std::chrono_literals;

constexpr int kClients = 100;
constexpr std::uint64_t kSeeds = 20;

struct Message {
  Duration at;
  int client;
  enum class Kind : std::uint8_t { start, readAtRow, readBack, writeAtRow, done, conflict } kind;
  bool operator>(const Message& other) const { return at > other.at; }
};

struct Client {
  std::uint32_t failures = 0;
  int seen = 0;  // version of the row
  Duration delay{};
};

struct Contention {
  double writes = 0;
  double seconds = 0;
};

class Row {
 public:
  Row(const BackOffSpec& spec, std::uint64_t seed) : spec_(spec), rng_(seed), clients_(kClients) {}

  Contention run() {
    for (int c = 0; c < kClients; ++c) queue_.push({Duration{0}, c, Message::Kind::start});
    Contention result;
    while (!queue_.empty()) {
      const Message message = queue_.top();
      queue_.pop();
      result.seconds = std::chrono::duration<double>(message.at).count();
      result.writes += message.kind == Message::Kind::writeAtRow ? 1 : 0;
      handle(message);
    }
    return result;
  }

 private:
  using Kind = Message::Kind;

  void handle(const Message& message) {
    Client& client = clients_[static_cast<std::size_t>(message.client)];
    switch (message.kind) {
      case Kind::start: return send(message, Kind::readAtRow);
      case Kind::readAtRow: client.seen = version_; return send(message, Kind::readBack);
      case Kind::readBack: return send(message, Kind::writeAtRow);
      case Kind::writeAtRow: {
        const bool fits = client.seen == version_;
        if (fits) ++version_;
        return send(message, fits ? Kind::done : Kind::conflict);
      }
      case Kind::done: return;
      case Kind::conflict: break;
    }
    ++client.failures;
    client.delay = policy::backoff(spec_, client.failures, client.delay, rng_);
    queue_.push({message.at + client.delay, message.client, Kind::start});
  }

  void send(const Message& message, Kind kind) {
    queue_.push({message.at + travel(), message.client, kind});
  }

  Duration travel() {  // Box and Muller
    const double radius = std::sqrt(-2 * std::log(1 - rng_.unit()));
    const double normal = radius * std::cos(2 * std::numbers::pi * rng_.unit());
    return Duration{static_cast<std::int64_t>(std::abs(10 + 2 * normal) * 1000)};
  }

  const BackOffSpec& spec_;
  Rng rng_;
  std::vector<Client> clients_;
  std::priority_queue<Message, std::vector<Message>, std::greater<>> queue_;
  int version_ = 0;
};

Contention mean(const BackOffSpec& spec) {
  Contention sum;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Contention one = Row(spec, seed).run();
    sum.writes += one.writes / kSeeds;
    sum.seconds += one.seconds / kSeeds;
  }
  return sum;
}

TEST_CASE("S8: full jitter does the least work, then equal, decorrelated, none, and no backoff") {
  // The published simulator doubles before the first wait: its first ceiling is 2 x 5 ms.
  BackOffSpec spec{.base_interval = 10ms, .max_interval = 2s, .multiplier = 2};
  std::map<std::string, Contention> found;
  spec.jitter = Jitter::full;
  found["full"] = mean(spec);
  spec.jitter = Jitter::equal;
  found["equal"] = mean(spec);
  spec.jitter = Jitter::none;
  found["exponential"] = mean(spec);
  spec.jitter = Jitter::decorrelated;
  spec.base_interval = 5ms;
  found["decorrelated"] = mean(spec);
  found["none"] = mean({.base_interval = 0ms, .max_interval = 0ms, .jitter = Jitter::none});
  const std::map<std::string, double> published = {
      {"none", 2418}, {"exponential", 1837}, {"decorrelated", 1001}, {"equal", 811}, {"full", 798}};
  for (const auto& [name, writes] : published) {
    MESSAGE(name << ": " << found[name].writes << " writes, " << found[name].seconds << " s");
    CHECK(std::abs(found[name].writes - writes) <= 0.1 * writes);
  }
  CHECK(found["full"].writes < found["equal"].writes);
  CHECK(found["equal"].writes < found["decorrelated"].writes);
  CHECK(found["decorrelated"].writes < found["exponential"].writes);
  CHECK(found["exponential"].writes < found["none"].writes);
}

}  // namespace
}  // namespace weir::scenarios
