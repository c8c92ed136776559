// SPDX-License-Identifier: Apache-2.0
// How much faster than real time the whole of Weir runs in the engine simulation: the SQLite store
// over the simulated VFS, store calls that take virtual time, 100 events per virtual second. Prints
// one line of JSON.
#include <sched.h>

#include <fmt/format.h>

#include "engine_load.h"
#include "measure.h"
#include "options.h"
#include "process.h"

namespace weir::bench {
namespace {

using engine_test::Process;
using std::chrono::milliseconds;

constexpr int kEventsPerSecond = 100;
constexpr Duration kCallTakes = milliseconds{3};

// One thread of a simulation runs at a time. Waking the next one on another core costs more than
// what it then does.
void stay_on_one_core() {
  cpu_set_t core;
  CPU_ZERO(&core);
  CPU_SET(sched_getcpu(), &core);
  if (sched_setaffinity(0, sizeof core, &core) != 0) fail("no core can be chosen");
}

class Receiver final : public engine_test::Outside {
 public:
  Process* process = nullptr;
  std::uint64_t calls = 0;

  async::Task<Outcome> call(std::string, const ports::Invocation&) override {
    ++calls;
    co_await process->clock().sleep_until(process->clock().mono() + kCallTakes);
    co_return Outcome{.status = 200, .latency = kCallTakes};
  }
  async::Task<Outcome> effect(effects::Send) override { co_return Outcome{.status = 200}; }
  async::Task<Result<policy::ProbeAnswer>> probe(Duration) override {
    co_return policy::ProbeAnswer{.status = 200};
  }
  void on_decision(const ports::DecisionRecord&) override {}
};

Config config_of() {
  Config config;
  config.streams = {{.name = "s"}};
  config.dependencies = {{.name = "d", .url = "http://127.0.0.1:1"}};
  config.flows = {{.name = "f", .stream = "s", .dependency = "d", .ordering_key = "subject"}};
  return config;
}

async::Task<> publish(Process& process, std::uint64_t first, std::uint64_t count) {
  auto batch = append_batch(process.engine().find_stream("s")->id, first, count, "{}",
                            process.clock().wall());
  auto receipt = co_await process.store().writer().commit(std::move(batch));
  if (!receipt.ok()) fail(to_text(receipt.error()));
  process.engine().appended(receipt->stored);
}

// Events come one by one, or so many at once.
void live(Process& process, std::uint64_t events, std::uint64_t batch) {
  const Duration gap = milliseconds{1000 / kEventsPerSecond} * batch;
  for (std::uint64_t next = 0; next < events; next += batch) {
    process.spawn(publish(process, next, batch));
    process.pass(gap);
  }
  process.settle(std::chrono::seconds{1});
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir;
  using namespace weir::bench;
  const Options options(argc, argv, {{"seconds", "300"}, {"batch", "10"}});
  const auto seconds = static_cast<std::uint64_t>(options.number("seconds", 1, 100'000));
  const auto batch = static_cast<std::uint64_t>(options.number("batch", 1, 100));
  stay_on_one_core();
  store::sqlite::testing::FaultVfs vfs;
  vfs.seed(1);
  MonoTime now{std::chrono::hours{1}};
  const Duration ahead{};
  Receiver receiver;
  Process process({.now = now, .wall_ahead = ahead, .vfs = &vfs, .log_bytes = 8 << 20, .delays = 1},
                  receiver);
  receiver.process = &process;
  process.start(config_of());
  if (process.dead()) fail(to_text(*process.failure()));
  const double wall = wall_seconds();
  const std::int64_t began = monotonic_micros();
  const double cpu = process_cpu_seconds();
  const std::uint64_t events = seconds * kEventsPerSecond / batch * batch;
  live(process, events, batch);
  const double took = static_cast<double>(monotonic_micros() - began) / 1e6;
  if (receiver.calls != events) fail(fmt::format("{} deliveries of {}", receiver.calls, events));
  const auto virtual_seconds = static_cast<double>(seconds);
  fmt::print(R"({{"events":{},"batch":{},"times_real":{:.1f},"times_cpu":{:.1f},)"
             R"("operations_per_event":{:.2f},"began":{:.3f},"ended":{:.3f}}})"
             "\n",
             events, batch, virtual_seconds / took, virtual_seconds / (process_cpu_seconds() - cpu),
             static_cast<double>(vfs.disk().operations()) / static_cast<double>(events), wall,
             wall_seconds());
}
