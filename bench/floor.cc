// SPDX-License-Identifier: Apache-2.0
// The floor program, the limit of delivery: what any program must do that stores events, posts them
// and forgets them. One loop: insert a batch, post each of it over 64 keep-alive connections,
// delete the batch. Prints one line of JSON.
#include <cstdio>

#include "measure.h"
#include "options.h"
#include "plain_table.h"
#include "posters.h"
#include "sample_event.h"

namespace weir::bench {
namespace {

class Floor {
 public:
  Floor(const Options& options)
      : table_(options.text("folder")),
        event_(sample_event()),
        head_(post_head(options.text("path"), "application/cloudevents+json", event_.text.size())),
        posters_(static_cast<std::uint16_t>(options.number("port", 1, 65535)),
                 static_cast<std::uint32_t>(options.number("connections", 1, 1024)),
                 [this](std::uint32_t connection, int status, std::string_view) {
                   answered(connection, status);
                 }) {}

  void run(std::int64_t events, std::int64_t batch) {
    for (std::int64_t first = 1; first <= events; first += batch) {
      const std::int64_t count = std::min(batch, events - first + 1);
      table_.insert(first, count, event_.text);
      post_all(count);
      table_.erase(first, count);
    }
  }

 private:
  void post_all(std::int64_t count) {
    to_post_ = count;
    to_answer_ = count;
    for (std::uint32_t connection = 0; connection < posters_.size(); ++connection)
      post_next(connection);
    while (to_answer_ > 0) posters_.wait(-1);
  }

  void post_next(std::uint32_t connection) {
    if (to_post_ == 0) return;
    --to_post_;
    posters_.post(connection, head_, event_.text);
  }

  void answered(std::uint32_t connection, int status) {
    errno = 0;
    if (status != 204) fail("the receiver answered " + std::to_string(status));
    --to_answer_;
    post_next(connection);
  }

  PlainTable table_;
  SampleEvent event_;
  std::string head_;
  std::int64_t to_post_ = 0;
  std::int64_t to_answer_ = 0;
  Posters posters_;
};

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  const Options options(argc, argv,
                        {{"folder", "."},
                         {"port", "18681"},
                         {"path", "/deliver"},
                         {"connections", "64"},
                         {"events", "100000"},
                         {"batch", "1000"}});
  const std::int64_t events = options.number("events", 1, 100'000'000);
  Floor floor(options);
  const double cpu = process_cpu_seconds();
  const std::int64_t began = monotonic_micros();
  floor.run(events, options.number("batch", 1, 1'000'000));
  const double seconds = static_cast<double>(monotonic_micros() - began) / 1e6;
  std::printf(R"({"events":%lld,"seconds":%.3f,"rate":%.0f,"cpu":%.3f})"
              "\n",
              static_cast<long long>(events), seconds, static_cast<double>(events) / seconds,
              process_cpu_seconds() - cpu);
  return 0;
}
