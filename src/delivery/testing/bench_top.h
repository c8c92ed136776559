// SPDX-License-Identifier: Apache-2.0
// An engine on the memory store, a virtual clock and a scripted handler: what the scenarios of the
// delivery path run on.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "async/clock.h"
#include "delivery/engine.h"
#include "store/memory/memory_store.h"

namespace weir::delivery::testing {

struct Served {
  std::string id;
  std::uint32_t attempt = 0;
  std::string key;  // Idempotency-Key
};

// Answers what the script says, by event id and attempt; 200 otherwise.
class ScriptedHandler final : public ports::Handler {
 public:
  using Script = std::function<int(const std::string& id, std::uint32_t attempt)>;
  // How long a call takes, on the virtual clock; none: it answers at once.
  using Takes = std::function<Duration(const std::string& id, std::uint32_t attempt)>;
  using Headers = std::function<std::vector<std::pair<std::string, std::string>>(
      const std::string& id, std::uint32_t attempt)>;
  ScriptedHandler(Script script, Takes takes, Headers headers, async::Clock& clock,
                  std::vector<Served>& log)
      : script_(std::move(script)),
        takes_(std::move(takes)),
        headers_(std::move(headers)),
        clock_(clock),
        log_(log) {}

  async::Task<Outcome> invoke(const ports::Invocation& call) override {
    log_.push_back({std::string(call.event.id), call.attempt, std::string(call.idempotency_key)});
    const Duration takes = takes_ ? takes_(std::string(call.event.id), call.attempt) : Duration{};
    if (takes > Duration{}) co_await clock_.sleep_until(clock_.mono() + takes);
    Outcome outcome;
    outcome.status = script_(std::string(call.event.id), call.attempt);
    if (headers_) outcome.headers = headers_(std::string(call.event.id), call.attempt);
    outcome.latency = takes > Duration{} ? takes : Duration{std::chrono::milliseconds{1}};
    co_return outcome;
  }

 private:
  Script script_;
  Takes takes_;
  Headers headers_;
  async::Clock& clock_;
  std::vector<Served>& log_;
};

// Several process lives, one after the other, on a store that outlives them.
class BenchTop {
 public:
  explicit BenchTop(ScriptedHandler::Script script)
      : store(store::memory::open(io.get_executor())), script_(std::move(script)) {}
  ~BenchTop() { stop(); }

  static Config config(std::string ordering_key) {
    Config config;
    config.streams = {{.name = "s"}};
    config.dependencies = {{.name = "d", .url = "http://127.0.0.1:1"}};
    config.dependencies[0].policy.circuit_breaker.enabled = false;
    config.flows = {
        {.name = "f", .stream = "s", .dependency = "d", .ordering_key = std::move(ordering_key)}};
    config.flows[0].policy.retry.max_attempts = 3;
    config.flows[0].policy.retry.back_off.max_interval = std::chrono::seconds{2};
    return config;
  }

  void start(const Config& config) {
    stop();
    clock = std::make_unique<async::VirtualClock>(io.get_executor());
    engine = std::make_unique<Engine>(EngineOptions{
        .executor = io.get_executor(),
        .clock = *clock,
        .store = *store,
        .make_handler = [this](const DependencySpec&,
                               const FlowSpec&) -> Result<std::shared_ptr<ports::Handler>> {
          return std::shared_ptr<ports::Handler>(
              std::make_shared<ScriptedHandler>(script_, takes, headers, *clock, log));
        }});
    auto started = wait(engine->start(config));
    if (!started.ok()) throw std::runtime_error(to_text(started.error()));
  }

  void stop() {
    if (!engine) return;
    wait(drained());
    engine.reset();
  }

  void publish(const std::string& id, const std::string& subject, std::size_t bytes = 0) {
    const std::string data(bytes, '1');
    Event event{.id = id, .source = "/t", .type = "t", .subject = subject};
    event.data = data;
    event.has_data = bytes > 0;
    ports::WriteBatch batch{.lane = ports::Lane::ingest};
    const StreamId stream = engine->find_stream("s")->id;
    batch.mutations.emplace_back(
        ports::AppendEvents{stream, {{++hash_, encode_event(event)}}, clock->wall()});
    auto receipt = wait(store->writer().commit(std::move(batch)));
    engine->appended(receipt->stored);
  }

  // Runs until nothing happens any more, timers of at most `limit` ahead included.
  void settle(Duration limit = std::chrono::seconds{60}) {
    const MonoTime until = clock->mono() + limit;
    do {
      io.restart();
      io.poll();
    } while (clock->advance_to_next(until));
  }

  template <class T>
  T wait(async::Task<T> task) {
    std::optional<T> result;
    boost::asio::co_spawn(io, keep(std::move(task), result), [](std::exception_ptr failure) {
      if (failure) std::rethrow_exception(failure);
    });
    while (!result) {
      io.restart();
      if (io.poll() == 0 && !clock->advance_to_next())
        throw std::runtime_error("nothing left to wait for");
    }
    return std::move(*result);
  }

  // Lets virtual time pass even if nothing happens meanwhile.
  void pass(Duration duration) { wait(slept(clock->mono() + duration)); }

  std::vector<std::string> served() const {
    std::vector<std::string> ids;
    for (const Served& one : log) ids.push_back(one.id);
    return ids;
  }

  boost::asio::io_context io;
  std::unique_ptr<ports::Store> store;
  std::vector<Delivery> quarantined() {
    return *wait(store->deliveries().list({.state = DeliveryState::quarantined}));
  }

  // Of the first flow.
  std::uint64_t floor() { return engine->flow_views().front().floor; }

  std::unique_ptr<async::VirtualClock> clock;
  std::unique_ptr<Engine> engine;
  std::vector<Served> log;
  // For handlers made from now on.
  ScriptedHandler::Takes takes;
  ScriptedHandler::Headers headers;

 private:
  template <class T>
  static async::Task<> keep(async::Task<T> task, std::optional<T>& into) {
    into = co_await std::move(task);
  }

  async::Task<bool> slept(MonoTime until) {
    co_await clock->sleep_until(until);
    co_return true;
  }

  async::Task<bool> drained() {
    co_await engine->drain(clock->mono() + std::chrono::seconds{1});
    clock->cancel_sleeps();
    co_await engine->join();
    co_return true;
  }

  ScriptedHandler::Script script_;
  std::uint64_t hash_ = 0;
};

}  // namespace weir::delivery::testing
