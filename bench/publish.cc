// SPDX-License-Identifier: Apache-2.0
// Load for ingest: connections that post structured 512-byte CloudEvents, one or a batch per
// request, as fast as they are answered or at a rate. An event that is refused with 503 is sent
// again. Prints one line of JSON.
//
// At a rate, latency counts from the moment when a request was due, so that a stall is seen by
// every request that it delayed, not only by those under way.
#include <cstdio>
#include <deque>

#include "measure.h"
#include "options.h"
#include "posters.h"
#include "sample_event.h"

namespace weir::bench {
namespace {

constexpr std::int64_t kRetryMicros = 50'000;

// A request body whose ids are written in place.
class Body {
 public:
  explicit Body(std::int64_t batch) {
    const SampleEvent event = sample_event();
    if (batch > 1) text_ = "[";
    for (std::int64_t i = 0; i < batch; ++i) {
      if (i > 0) text_ += ',';
      ids_at_.push_back(text_.size() + event.id_at);
      text_ += event.text;
    }
    if (batch > 1) text_ += ']';
  }
  void number_from(std::uint64_t id) {
    for (const std::size_t at : ids_at_) write_id(text_.data() + at, id++);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::vector<std::size_t> ids_at_;
};

class Publisher {
 public:
  Publisher(const Options& options)
      : batch_(options.number("batch", 1, 10'000)),
        requests_max_(options.number("events", 1, 1'000'000'000) / batch_),
        rate_(options.number("rate", 0, 10'000'000)),
        end_(monotonic_micros() + options.number("seconds", 1, 86'400) * 1'000'000),
        slot_(options.number("slot-ms", 0, 60'000) * 1000),
        next_id_(static_cast<std::uint64_t>(options.number("first-id", 0, INT64_MAX))),
        posters_(static_cast<std::uint16_t>(options.number("port", 1, 65535)),
                 static_cast<std::uint32_t>(options.number("connections", 1, 1024)),
                 [this](std::uint32_t connection, int status, std::string_view body) {
                   answered(connection, status, body);
                 }) {
    bodies_.assign(posters_.size(), Body(batch_));
    due_.resize(posters_.size());
    const char* type = batch_ > 1 ? "application/cloudevents-batch+json"
                                  : "application/cloudevents+json";
    head_ = post_head(options.text("path"), type, bodies_.front().text().size());
    for (std::uint32_t connection = 0; connection < posters_.size(); ++connection)
      idle_.push_back(connection);
    latencies_.reserve(static_cast<std::size_t>(std::min<std::int64_t>(requests_max_, 1'000'000)));
  }

  void run() {
    const double cpu = process_cpu_seconds();
    const double wall = wall_seconds();
    began_ = monotonic_micros();
    while (accepted_ < requests_max_ && monotonic_micros() < end_) {
      post_what_is_due();
      posters_.wait(micros_to_next());
    }
    print(wall, process_cpu_seconds() - cpu);
  }

 private:
  struct Refused {
    std::int64_t again;
    std::uint32_t connection;
  };

  std::int64_t due_of(std::int64_t request, std::int64_t now) const {
    return rate_ == 0 ? now : began_ + request * batch_ * 1'000'000 / rate_;
  }

  void post_what_is_due() {
    const std::int64_t now = monotonic_micros();
    while (!refused_.empty() && refused_.front().again <= now) {
      const std::uint32_t connection = refused_.front().connection;
      refused_.pop_front();
      posters_.post(connection, head_, bodies_[connection].text());
    }
    while (!idle_.empty() && posted_ < requests_max_ && due_of(posted_, now) <= now) {
      const std::uint32_t connection = idle_.front();
      idle_.pop_front();
      post_new(connection, due_of(posted_, now));
    }
  }

  void post_new(std::uint32_t connection, std::int64_t due) {
    bodies_[connection].number_from(next_id_);
    next_id_ += static_cast<std::uint64_t>(batch_);
    due_[connection] = due;
    ++posted_;
    posters_.post(connection, head_, bodies_[connection].text());
  }

  std::int64_t micros_to_next() const {
    const std::int64_t now = monotonic_micros();
    std::int64_t next = end_;
    if (!refused_.empty()) next = std::min(next, refused_.front().again);
    if (!idle_.empty() && posted_ < requests_max_) next = std::min(next, due_of(posted_, now));
    return std::max<std::int64_t>(0, next - now);
  }

  void answered(std::uint32_t connection, int status, std::string_view body) {
    const std::int64_t now = monotonic_micros();
    if (status == 503) {
      ++refusals_;
      refused_.push_back({now + kRetryMicros, connection});
      return;
    }
    errno = 0;
    if (status != 201)
      fail("status " + std::to_string(status) + ": " + std::string(body.substr(0, 1000)));
    latencies_.add(now - due_[connection]);
    if (slot_ > 0)
      note_slowest(static_cast<std::size_t>((now - began_) / slot_), now - due_[connection]);
    ++accepted_;
    if (rate_ == 0 && posted_ < requests_max_) {
      post_new(connection, now);
    } else {
      idle_.push_back(connection);
    }
  }

  void note_slowest(std::size_t slot, std::int64_t micros) {
    if (slot >= slowest_.size()) slowest_.resize(slot + 1);
    slowest_[slot] = std::max(slowest_[slot], micros);
  }

  void print(double wall, double cpu) {
    const double seconds = static_cast<double>(monotonic_micros() - began_) / 1e6;
    const std::int64_t events = accepted_ * batch_;
    std::printf(
        R"({"events":%lld,"seconds":%.3f,"rate":%.0f,"p50_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f,)"
        R"("refusals":%lld,"cpu":%.3f,"began":%.3f,"ended":%.3f,"slowest_ms":[)",
        static_cast<long long>(events), seconds, static_cast<double>(events) / seconds,
        latencies_.millis_at(0.5), latencies_.millis_at(0.99), latencies_.millis_at(1),
        static_cast<long long>(refusals_), cpu, wall, wall_seconds());
    for (std::size_t i = 0; i < slowest_.size(); ++i) {
      std::printf("%s%.3f", i == 0 ? "" : ",", static_cast<double>(slowest_[i]) / 1e3);
    }
    std::printf("]}\n");
  }

  std::int64_t batch_;
  std::int64_t requests_max_;
  std::int64_t rate_;  // events a second; 0 = as fast as answers come
  std::int64_t began_ = 0;
  std::int64_t end_;
  std::int64_t slot_;  // microseconds; 0 = no slots
  std::vector<std::int64_t> slowest_;
  std::uint64_t next_id_;
  Posters posters_;
  std::string head_;
  std::vector<Body> bodies_;
  std::vector<std::int64_t> due_;
  std::deque<std::uint32_t> idle_;
  std::deque<Refused> refused_;
  std::int64_t posted_ = 0;
  std::int64_t accepted_ = 0;
  std::int64_t refusals_ = 0;
  Durations latencies_;
};

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  const Options options(argc, argv,
                        {{"port", "18680"},
                         {"path", "/v1/streams/load/events"},
                         {"connections", "64"},
                         {"events", "100000"},
                         {"batch", "1"},
                         {"rate", "0"},
                         {"seconds", "600"},
                         {"slot-ms", "0"},
                         {"first-id", "0"}});
  Publisher(options).run();
  return 0;
}
