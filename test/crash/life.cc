// SPDX-License-Identifier: Apache-2.0
#include "life.h"

#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>

#include "app/wiring.h"
#include "scenario.h"
#include "store/sqlite/sqlite_store.h"

namespace weir::crash {

constexpr Duration kCallTakes = std::chrono::milliseconds{3};
constexpr auto kPatience = std::chrono::seconds{20};  // for the store's threads

// The receiving service: outlives every crash, and is all that an outsider can count with.
class Receiver final : public ports::Handler {
 public:
  Receiver(Life& life, FlowName flow) : life_(life), flow_(flow) {}

  async::Task<Outcome> invoke(const ports::Invocation& call) override {
    Outcome outcome{.latency = kCallTakes};
    if (!life_.reaches_the_handler()) {
      outcome.fault = Fault::refused;
      outcome.phase = Phase::notSent;
      co_return outcome;
    }
    Journal& journal = life_.site_.journal;
    if (journal.count == kCallsMax) throw std::runtime_error("calls without end");
    Call& seen = journal.calls[journal.count++];
    seen.flow = flow_;
    seen.event = static_cast<std::uint32_t>(std::stoul(std::string(call.event.id.substr(1))));
    seen.attempt = call.attempt;
    seen.replay = call.replay.empty()
                      ? 0
                      : static_cast<std::uint32_t>(std::stoul(std::string(call.replay.substr(1))));
    seen.life = journal.life;
    seen.status = answer_of(journal, flow_, seen.event);
    if (call.idempotency_key.size() != seen.key.size()) throw std::runtime_error("odd key");
    std::ranges::copy(call.idempotency_key, seen.key.begin());
    if (flow_ == FlowName::orders && seen.event == journal.poison) _exit(kPoisoned);
    outcome.status = seen.status;
    if (outcome.status >= 400) outcome.body = problem_of(flow_, seen.event);
    co_await life_.clock_->sleep_until(life_.clock_->mono() + kCallTakes);
    co_return outcome;
  }

 private:
  Life& life_;
  FlowName flow_;
};

Life::Life(Site& site)
    : site_(site), clock_(std::make_unique<async::VirtualClock>(io_.get_executor())) {
  ++site_.journal.life;
  pass(site_.journal.now - clock_->mono());
  open_store();
  if (!dead()) start();
}

void Life::open_store() {
  store::sqlite::Options options{.folder = site_.folder, .executor = io_.get_executor()};
  options.now = [this] { return now_.load(); };
  options.on_failed = [this](const Error& error) { die(error); };
  options.wal_bytes_max = site_.log_bytes;
  options.idle_after = std::chrono::hours{1};  // a busy machine would look idle, now and then
  if (site_.vfs != nullptr) {
    options.vfs = site_.vfs->name();
    if (site_.reserve_bytes > 0) options.space = site_.vfs->disk().space(site_.reserve_bytes);
    options.disk_free_min = 0;
  } else {
    options.reserve_bytes = 1 << 16;
    options.disk_free_min = 1 << 16;
  }
  auto opened = store::sqlite::open(std::move(options));
  if (!opened.ok()) return die(opened.error());
  store_ = paced(*std::move(opened), pace_);
}

void Life::start() {
  live_ = app::wire_recovery(io_.get_executor(), engine_, *clock_);
  replays_ = std::make_unique<recovery::Replays>(io_.get_executor(), *store_, *clock_, live_);
  engine_ = std::make_unique<delivery::Engine>(delivery::EngineOptions{
      .executor = io_.get_executor(),
      .clock = *clock_,
      .store = *store_,
      .make_handler = [this](const DependencySpec&,
                             const FlowSpec& flow) -> Result<std::shared_ptr<ports::Handler>> {
        const FlowName name = flow.name == "orders" ? FlowName::orders : FlowName::feed;
        return std::shared_ptr<ports::Handler>(std::make_shared<Receiver>(*this, name));
      },
      .sinks = {replays_.get()},
      .on_store_failed = [this](const Error& error) { die(error); }});
  const auto started = wait(engine_->start(scenario_config()));
  if (!started) return;
  if (!started->ok()) return die(started->error());
  const auto replays = wait(replays_->start());
  if (replays && !replays->ok()) die(replays->error());
}

void Life::die(const Error& error) {
  if (!failure_) failure_ = error;
}

bool Life::reaches_the_handler() const {
  return !dead() && !(site_.vfs != nullptr && site_.vfs->disk().is_off());
}

Life::~Life() {
  if (engine_) {
    auto done = std::make_shared<std::optional<bool>>();
    spawn(keep(ended(), done));
    while (!*done) {
      if (!step() && !clock_->advance_to_next()) std::terminate();
    }
  }
  engine_.reset();
  replays_.reset();
  store_.reset();
  while (step()) {
  }
}

async::Task<bool> Life::ended() {
  co_await engine_->drain(clock_->mono() + std::chrono::seconds{1});
  clock_->cancel_sleeps();
  co_await replays_->drain();
  co_await engine_->join();
  co_return true;
}

void Life::spawn(async::Task<> task) {
  boost::asio::co_spawn(io_, std::move(task), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
}

bool Life::step() {
  site_.journal.now = std::max(site_.journal.now, clock_->mono());
  now_ = clock_->mono();
  io_.restart();
  if (io_.poll() > 0) return true;
  if (!pace_.running()) return pace_.release_one();
  const auto guard = boost::asio::make_work_guard(io_);
  if (io_.run_one_for(kPatience) == 0) throw std::runtime_error("the store does not answer");
  return true;
}

void Life::settle(Duration limit) {
  const MonoTime until = clock_->mono() + limit;
  do {
    while (step()) {
    }
  } while (!dead() && clock_->advance_to_next(until));
}

void Life::pass(Duration duration) {
  if (duration > Duration::zero()) wait(slept(clock_->mono() + duration));
}

async::Task<bool> Life::slept(MonoTime until) {
  co_await clock_->sleep_until(until);
  co_return true;
}

}  // namespace weir::crash
