// SPDX-License-Identifier: Apache-2.0
// The delivery engine on the memory store and a virtual clock, with a handler that answers at once:
// what the engine itself costs, without a disk or a network. Prints one line of JSON.
#include <cstdio>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "async/clock.h"
#include "delivery/engine.h"
#include "engine_load.h"
#include "measure.h"
#include "options.h"
#include "store/memory/memory_store.h"

namespace weir::bench {
namespace {

class AtOnce final : public ports::Handler {
 public:
  explicit AtOnce(std::uint64_t& calls) : calls_(calls) {}
  async::Task<Outcome> invoke(const ports::Invocation&) override {
    ++calls_;
    co_return Outcome{.status = 200, .latency = std::chrono::milliseconds{1}};
  }

 private:
  std::uint64_t& calls_;
};

Config config_of(bool ordered) {
  Config config;
  config.streams = {{.name = "s"}};
  config.dependencies = {{.name = "d", .url = "http://127.0.0.1:1"}};
  config.flows = {
      {.name = "f", .stream = "s", .dependency = "d", .ordering_key = ordered ? "subject" : ""}};
  return config;
}

class Bench {
 public:
  explicit Bench(bool ordered) {
    engine_ = std::make_unique<delivery::Engine>(delivery::EngineOptions{
        .executor = io_.get_executor(),
        .clock = clock_,
        .store = *store_,
        .token_secret = "bench",
        .make_handler = [this](const DependencySpec&,
                               const FlowSpec&) -> Result<std::shared_ptr<ports::Handler>> {
          return std::shared_ptr<ports::Handler>(std::make_shared<AtOnce>(calls_));
        }});
    spawn(start(config_of(ordered)));
    settle();
  }

  ~Bench() {
    spawn(stop());
    settle();
  }

  std::uint64_t deliver(std::uint64_t events, std::uint64_t batch) {
    for (std::uint64_t next = 0; next < events; next += batch) {
      spawn(publish(next, std::min(batch, events - next)));
      settle();
    }
    return calls_;
  }

 private:
  async::Task<> start(Config config) {
    const auto started = co_await engine_->start(std::move(config));
    if (!started.ok()) fail(to_text(started.error()));
  }

  async::Task<> stop() {
    co_await engine_->drain(clock_.mono() + std::chrono::seconds{1});
    clock_.cancel_sleeps();
    co_await engine_->join();
  }

  async::Task<> publish(std::uint64_t first, std::uint64_t count) {
    auto batch = append_batch(engine_->find_stream("s")->id, first, count, data_, clock_.wall());
    auto receipt = co_await store_->writer().commit(std::move(batch));
    if (!receipt.ok()) fail(to_text(receipt.error()));
    engine_->appended(receipt->stored);
  }

  void spawn(async::Task<> task) {
    boost::asio::co_spawn(io_, std::move(task), [](std::exception_ptr failure) {
      if (failure) std::rethrow_exception(failure);
    });
  }

  // As long as there is something to do within a second.
  void settle() {
    const MonoTime until = clock_.mono() + std::chrono::seconds{1};
    do {
      io_.restart();
      io_.poll();
    } while (clock_.advance_to_next(until));
  }

  const std::string data_ = R"({"data":")" + std::string(480, 'x') + "\"}";
  std::uint64_t calls_ = 0;
  boost::asio::io_context io_{1};
  async::VirtualClock clock_{io_.get_executor()};
  std::unique_ptr<ports::Store> store_ = store::memory::open(io_.get_executor());
  std::unique_ptr<delivery::Engine> engine_;
};

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  const Options options(argc, argv, {{"events", "200000"}, {"batch", "100"}, {"ordered", "0"}});
  const auto events = static_cast<std::uint64_t>(options.number("events", 1, 10'000'000));
  Bench bench(options.number("ordered", 0, 1) == 1);
  const double wall = wall_seconds();
  const std::int64_t began = monotonic_micros();
  const double cpu = process_cpu_seconds();
  const std::uint64_t calls = bench.deliver(
      events, static_cast<std::uint64_t>(options.number("batch", 1, 1000)));
  const double seconds = static_cast<double>(monotonic_micros() - began) / 1e6;
  if (calls != events) fail(fmt::format("{} deliveries of {}", calls, events));
  fmt::print(R"({{"events":{},"rate":{:.0f},"cpu_rate":{:.0f},"began":{:.3f},"ended":{:.3f}}})"
             "\n",
             events, static_cast<double>(events) / seconds,
             static_cast<double>(events) / (process_cpu_seconds() - cpu), wall, wall_seconds());
}
