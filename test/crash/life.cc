// SPDX-License-Identifier: Apache-2.0
#include "life.h"

#include <algorithm>
#include <span>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <fmt/format.h>

#include "app/wiring.h"
#include "async/logical_wall.h"
#include "bank.h"
#include "store/sqlite/sqlite_store.h"

namespace weir::crash {

constexpr Duration kCallTakes = std::chrono::milliseconds{3};
constexpr auto kPatience = std::chrono::seconds{20};  // for the store's threads

namespace {

// "e12", "r3"
std::uint32_t number_of(std::string_view name) {
  return static_cast<std::uint32_t>(std::stoul(std::string(name.substr(1))));
}

// Whether a call of the same release was settled before.
bool is_late(const Journal& journal, const Call& call) {
  return std::ranges::any_of(journal.calls, [&](const Call& other) {
    return other.settled && other.flow == call.flow && other.event == call.event &&
           other.replay == call.replay;
  });
}

std::string problem_of(FlowName flow, const Call& call) {
  return fmt::format(R"({{"type":"urn:test:{}:{}","title":"cannot do it","event":{}}})",
                     name_of(flow), call.status, call.event);
}

}  // namespace

// Notes in the journal which calls of replays need not come again.
class Witness final : public ports::DecisionSink {
 public:
  explicit Witness(Journal& journal) : journal_(journal) {}

  void on_decision(const ports::DecisionRecord& record) override {
    const DecisionKind kind = record.decision->kind;
    const bool open = kind == DecisionKind::retryAt || kind == DecisionKind::defer;
    if (!record.replay || open) return;
    for (Call& call : std::span(journal_.calls).first(journal_.count)) {
      if (call.replay == record.replay.value && name_of(call.flow) == record.flow &&
          call.event == number_of(record.event_id))
        call.settled = true;
    }
  }

 private:
  Journal& journal_;
};

// Virtual time, with a wall clock that somebody sets.
class SetClock final : public async::Clock {
 public:
  SetClock(async::VirtualClock& clock, const Journal& journal) : clock_(clock), journal_(journal) {}

  MonoTime mono() override { return clock_.mono(); }
  WallTime wall() override { return wall_.at(clock_.wall() + journal_.wall_ahead, clock_.mono()); }
  async::Task<> sleep_until(MonoTime deadline) override { return clock_.sleep_until(deadline); }
  void cancel_sleeps() override { clock_.cancel_sleeps(); }

 private:
  async::VirtualClock& clock_;
  const Journal& journal_;
  async::LogicalWall wall_;
};

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
    seen.event = number_of(call.event.id);
    seen.attempt = call.attempt;
    seen.replay = call.replay.empty() ? 0 : number_of(call.replay);
    seen.late = is_late(journal, seen);
    seen.life = journal.life;
    seen.status = life_.site_.story.answer(journal, flow_, seen.event);
    seen.at = life_.clock_->mono();
    if (call.idempotency_key.size() != seen.key.size()) throw std::runtime_error("odd key");
    std::ranges::copy(call.idempotency_key, seen.key.begin());
    if (flow_ == FlowName::orders && seen.event == journal.poison) _exit(kPoisoned);
    outcome.status = seen.status;
    if (!call.token.empty()) outcome.status = co_await pay(call, seen.event);
    if (outcome.status >= 400) outcome.body = problem_of(flow_, seen);
    co_await life_.clock_->sleep_until(life_.clock_->mono() + kCallTakes);
    co_return outcome;
  }

 private:
  // Succeeds if its effect did.
  async::Task<int> pay(const ports::Invocation& call, std::uint32_t event) {
    effects::EffectReply reply = co_await life_.gateway().call(payment_of(event, call.token));
    if (reply.error || reply.answer.status >= 300) co_return 500;
    note_heard(life_.site_.journal, event);
    co_return 200;
  }

  Life& life_;
  FlowName flow_;
};

Life::Life(Site& site)
    : site_(site),
      clock_(std::make_unique<async::VirtualClock>(io_.get_executor())),
      set_clock_(std::make_unique<SetClock>(*clock_, site.journal)) {
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
  live_ = app::wire_recovery(io_.get_executor(), engine_, clock(), egress_gate_);
  live_.probe = [this](const std::string&, Duration) { return probe(); };
  witness_ = std::make_unique<Witness>(site_.journal);
  replays_ = std::make_unique<recovery::Replays>(io_.get_executor(), *store_, clock(), live_);
  engine_ = std::make_unique<delivery::Engine>(delivery::EngineOptions{
      .executor = io_.get_executor(),
      .clock = clock(),
      .store = *store_,
      .make_handler = [this](const DependencySpec&,
                             const FlowSpec& flow) -> Result<std::shared_ptr<ports::Handler>> {
        const FlowName name = flow.name == "orders" ? FlowName::orders : FlowName::feed;
        return std::shared_ptr<ports::Handler>(std::make_shared<Receiver>(*this, name));
      },
      .sinks = {replays_.get(), witness_.get()},
      .on_store_failed = [this](const Error& error) { die(error); }});
  gateway_ = std::make_unique<effects::Gateway>(
      *store_, clock(), engine_->running(),
      app::wire_effects(engine_, [this](effects::Send send) { return send_effect(send); }), 1);
  const auto ledger = wait(gateway_->start());
  if (!ledger) return;
  if (!ledger->ok()) return die(ledger->error());
  const auto started = wait(engine_->start(site_.story.config));
  if (!started) return;
  if (!started->ok()) return die(started->error());
  const auto replays = wait(replays_->start());
  if (replays && !replays->ok()) die(replays->error());
}

// The service is asked how it is.
async::Task<Result<policy::ProbeAnswer>> Life::probe() {
  co_await clock_->sleep_until(clock_->mono() + kCallTakes);
  const int health = site_.journal.health;
  if (health == 0) co_return Error{Code::request_timeout, "no answer", ""};
  co_return policy::ProbeAnswer{.status = health};
}

async::Task<Outcome> Life::send_effect(effects::Send send) {
  if (!reaches_the_handler()) co_return Outcome{.fault = Fault::refused, .phase = Phase::notSent};
  Outcome outcome = serve(site_.journal, send);
  co_await clock_->sleep_until(clock_->mono() + kCallTakes);
  outcome.latency = kCallTakes;
  co_return outcome;
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
  gateway_.reset();
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
