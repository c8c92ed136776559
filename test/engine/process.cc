// SPDX-License-Identifier: Apache-2.0
#include "process.h"

#include <algorithm>

#include <boost/asio/executor_work_guard.hpp>

#include "app/wiring.h"
#include "async/logical_wall.h"
#include "store/sqlite/sqlite_store.h"

namespace weir::engine_test {
namespace {

constexpr auto kPatience = std::chrono::seconds{60};  // for the store's threads
// Of tokens and redaction tags. Fixed, so that no run depends on a random device.
constexpr const char* kSecret = "a secret of sixteen";

// Virtual time, with a wall clock that somebody sets.
class SetClock final : public async::Clock {
 public:
  SetClock(async::VirtualClock& clock, const Duration& ahead) : clock_(clock), ahead_(ahead) {}

  MonoTime mono() override { return clock_.mono(); }
  WallTime wall() override { return wall_.at(clock_.wall() + ahead_, clock_.mono()); }
  async::Task<> sleep_until(MonoTime deadline) override { return clock_.sleep_until(deadline); }
  void cancel_sleeps() override { clock_.cancel_sleeps(); }

 private:
  async::VirtualClock& clock_;
  const Duration& ahead_;
  async::LogicalWall wall_;
};

class Endpoint final : public ports::Handler {
 public:
  Endpoint(Outside& outside, std::string flow) : outside_(outside), flow_(std::move(flow)) {}
  async::Task<Outcome> invoke(const ports::Invocation& invocation) override {
    return outside_.call(flow_, invocation);
  }

 private:
  Outside& outside_;
  std::string flow_;
};

}  // namespace

class Process::Sink final : public ports::DecisionSink {
 public:
  explicit Sink(Outside& outside) : outside_(outside) {}
  void on_decision(const ports::DecisionRecord& record) override { outside_.on_decision(record); }

 private:
  Outside& outside_;
};

Process::Process(const Machine& machine, Outside& outside)
    : machine_(machine),
      outside_(outside),
      clock_(std::make_unique<async::VirtualClock>(io_.get_executor())),
      set_clock_(std::make_unique<SetClock>(*clock_, machine_.wall_ahead)),
      pace_(*clock_, machine_.delays) {}

void Process::start(const Config& config) {
  pass(machine_.now - clock_->mono());
  open_store();
  if (dead()) return;
  make_engine();
  recover(config);
  started_ = !dead();
}

void Process::open_store() {
  store::sqlite::Options options{.folder = machine_.folder, .executor = io_.get_executor()};
  options.now = [this] { return now_.load(); };
  options.on_failed = [this](const Error& error) { die(error); };
  options.wal_bytes_max = machine_.log_bytes;
  options.idle_after = std::chrono::hours{1};  // a busy machine would look idle, now and then
  if (machine_.vfs != nullptr) {
    options.vfs = machine_.vfs->name();
    if (machine_.reserve_bytes > 0)
      options.space = machine_.vfs->disk().space(machine_.reserve_bytes);
    options.disk_free_min = 0;
  } else {
    options.reserve_bytes = 1 << 16;
    options.disk_free_min = 1 << 16;
  }
  auto opened = store::sqlite::open(std::move(options));
  if (!opened.ok()) return die(opened.error());
  store_ = paced(*std::move(opened), pace_);
}

void Process::make_engine() {
  live_ = app::wire_recovery(io_.get_executor(), engine_, clock(), egress_gate_);
  live_.probe = [this](const std::string&, Duration patience) { return outside_.probe(patience); };
  sink_ = std::make_unique<Sink>(outside_);
  replays_ = std::make_unique<recovery::Replays>(io_.get_executor(), *store_, clock(), live_);
  engine_ = std::make_unique<delivery::Engine>(delivery::EngineOptions{
      .executor = io_.get_executor(),
      .clock = clock(),
      .store = *store_,
      .token_secret = kSecret,
      .redaction_secret = kSecret,
      .make_handler = [this](const DependencySpec&,
                             const FlowSpec& flow) -> Result<std::shared_ptr<ports::Handler>> {
        return std::shared_ptr<ports::Handler>(std::make_shared<Endpoint>(outside_, flow.name));
      },
      .sinks = {replays_.get(), sink_.get()},
      .on_store_failed = [this](const Error& error) { die(error); }});
  gateway_ = std::make_unique<effects::Gateway>(
      *store_, clock(), engine_->running(),
      app::wire_effects(engine_, [this](effects::Send send) { return outside_.effect(send); }), 1);
}

void Process::recover(const Config& config) {
  const auto ledger = wait(gateway_->start());
  if (!ledger) return;
  if (!ledger->ok()) return die(ledger->error());
  const auto engine = wait(engine_->start(config));
  if (!engine) return;
  if (!engine->ok()) return die(engine->error());
  const auto replays = wait(replays_->start());
  if (replays && !replays->ok()) die(replays->error());
}

void Process::die(const Error& error) {
  if (!failure_) failure_ = error;
}

bool Process::reaches_the_handler() const {
  return !dead() && !(machine_.vfs != nullptr && machine_.vfs->disk().is_off());
}

Process::~Process() { end(); }

void Process::end() {
  ending_ = true;
  if (engine_) {
    auto done = std::make_shared<std::optional<bool>>();
    spawn(keep(ended(), done));
    while (!*done) {
      if (!step() && !clock_->advance_to_next()) std::terminate();
    }
    while (step()) {  // whoever asked something gets an answer as long as there is somebody
    }
  }
  engine_.reset();
  gateway_.reset();
  replays_.reset();
  store_.reset();
  while (step()) {
  }
}

async::Task<bool> Process::ended() {
  co_await engine_->drain(clock_->mono() + std::chrono::seconds{1});
  clock_->cancel_sleeps();
  co_await replays_->drain();
  co_await engine_->join();
  co_return true;
}

void Process::spawn(async::Task<> task) {
  boost::asio::co_spawn(io_, std::move(task), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
}

bool Process::step() {
  machine_.now = std::max(machine_.now, clock_->mono());
  now_ = clock_->mono();
  io_.restart();
  if (io_.poll() > 0) return true;
  if (!pace_.running()) return pace_.release();
  const auto guard = boost::asio::make_work_guard(io_);
  if (io_.run_one_for(kPatience) == 0) throw std::runtime_error("the store does not answer");
  return true;
}

void Process::settle(Duration limit) {
  const MonoTime until = clock_->mono() + limit;
  do {
    while (step()) {
    }
  } while (!dead() && clock_->advance_to_next(until));
}

void Process::pass(Duration duration) {
  if (duration > Duration::zero()) wait(slept(clock_->mono() + duration));
}

async::Task<bool> Process::slept(MonoTime until) {
  co_await clock_->sleep_until(until);
  co_return true;
}

}  // namespace weir::engine_test
