// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <list>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "async/signal.h"
#include "async/task_group.h"
#include "base/assert.h"
#include "net/client_connection.h"
#include "net/resolve.h"

namespace weir::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr Duration kIdleSweep = std::chrono::milliseconds(500);
constexpr Duration kKeepAliveMargin = std::chrono::seconds(1);

// A place among the pool's connections; with a connection in it once one is open.
struct Slot {
  std::unique_ptr<ClientConnection> connection;
  std::string head;  // of the request, reused
  MonoTime deadline = MonoTime::max();
  StopCause on_deadline = StopCause::deadline;
  MonoTime idle_until{};
  bool busy = false;
};

// A call in line for a slot.
struct Waiter {
  explicit Waiter(const async::Executor& executor, MonoTime until)
      : turn(executor), deadline(until) {}
  async::Signal turn;
  MonoTime deadline;
  Slot* slot = nullptr;  // given when it is its turn
  StopCause stop = StopCause::none;
};

Outcome not_sent(Fault fault, std::string detail) {
  Outcome outcome;
  outcome.fault = fault;
  outcome.phase = Phase::notSent;
  outcome.fault_detail = std::move(detail);
  return outcome;
}

}  // namespace

struct HttpClientPool::Impl {
  Impl(async::Executor given, async::Clock& a_clock, HttpClientOptions settings)
      : executor(given),
        clock(a_clock),
        options(std::move(settings)),
        addresses(given, a_clock, options.url.host, options.url.port),
        host_line(fmt::format(" HTTP/1.1\r\nHost: {}\r\n", options.url.authority())),
        sweep_timer(given),
        quiet(given),
        group(given) {}

  async::Executor executor;
  async::Clock& clock;
  HttpClientOptions options;
  std::shared_ptr<TlsClient> tls;
  HostAddresses addresses;
  std::string host_line;
  std::vector<std::unique_ptr<Slot>> slots;  // at most options.connections
  std::vector<Slot*> free;                   // the most recently used last
  std::list<Waiter> waiters;                 // first come, first served
  asio::steady_timer sweep_timer;
  async::Signal quiet;  // for close(), when the last call has returned
  async::TaskGroup group;
  HttpClientCounts counts;
  bool sweeping = false;
  bool sweep_is_slow = false;
  bool closing = false;

  Slot* take_slot();
  void give_back(Slot* slot);
  async::Task<Outcome> run(HttpCall call);
  async::Task<Outcome> run_in(Slot* slot, HttpCall call);
  async::Task<Outcome> connect(Slot* slot, MonoTime deadline);
  async::Task<Slot*> wait_in_line(MonoTime deadline);
  async::Task<> sweep_loop();
  void start_watching();
  void sweep();
  void release_call();
  void write_head(Slot& slot, const HttpCall& call) const;
};

// The most recently used connection is the least likely to be stale, and lets the others grow old.
Slot* HttpClientPool::Impl::take_slot() {
  if (free.empty() && slots.size() < options.connections) {
    slots.push_back(std::make_unique<Slot>());
    free.push_back(slots.back().get());
  }
  if (free.empty()) return nullptr;
  Slot* slot = free.back();
  free.pop_back();
  slot->busy = true;
  return slot;
}

void HttpClientPool::Impl::give_back(Slot* slot) {
  slot->deadline = MonoTime::max();
  if (slot->connection && !slot->connection->is_reusable()) slot->connection.reset();
  for (Waiter& waiter : waiters) {
    if (waiter.slot != nullptr || waiter.stop != StopCause::none) continue;
    waiter.slot = slot;  // stays busy: it goes from hand to hand
    waiter.turn.notify();
    return;
  }
  slot->busy = false;
  free.push_back(slot);
}

async::Task<Slot*> HttpClientPool::Impl::wait_in_line(MonoTime deadline) {
  const auto place = waiters.emplace(waiters.end(), executor, deadline);
  co_await place->turn.wait();
  Slot* slot = place->slot;
  waiters.erase(place);
  co_return slot;
}

async::Task<Outcome> HttpClientPool::Impl::run(HttpCall call) {
  Slot* slot = take_slot();
  if (slot == nullptr && waiters.size() >= options.waiting) {
    co_return not_sent(Fault::cancelled,
                       fmt::format("more than {} calls wait for a connection", options.waiting));
  }
  if (slot == nullptr) slot = co_await wait_in_line(call.deadline);
  if (slot == nullptr && closing) co_return not_sent(Fault::cancelled, "cancelled");
  if (slot == nullptr) co_return not_sent(Fault::timeout, "no free connection in time");
  Outcome outcome = co_await run_in(slot, call);
  give_back(slot);
  co_return outcome;
}

async::Task<Outcome> HttpClientPool::Impl::run_in(Slot* slot, HttpCall call) {
  if (closing) co_return not_sent(Fault::cancelled, "cancelled");
  if (slot->connection && (slot->idle_until <= clock.mono() || !slot->connection->is_quiet()))
    slot->connection.reset();
  const bool kept = slot->connection != nullptr;
  write_head(*slot, call);
  for (int round = 0; round < 2; ++round) {
    if (!slot->connection) {
      Outcome connected = co_await connect(slot, call.deadline);
      if (connected.fault != Fault::none) co_return connected;
    }
    slot->deadline = call.deadline;
    slot->on_deadline = StopCause::deadline;
    if (call.burst != nullptr) co_await call.burst->over();
    Outcome outcome = co_await slot->connection->exchange(slot->head, call.body);
    const bool untouched = outcome.fault == Fault::sendFailed && outcome.phase == Phase::notSent;
    if (!untouched || !kept || round == 1) {
      const Duration peer = slot->connection->keep_alive_timeout().value_or(options.idle_timeout +
                                                                            kKeepAliveMargin);
      slot->idle_until = clock.mono() + std::min(options.idle_timeout, peer - kKeepAliveMargin);
      co_return outcome;
    }
    ++counts.repeats;
    slot->connection.reset();
  }
  WEIR_ASSERT(false);
}

async::Task<Outcome> HttpClientPool::Impl::connect(Slot* slot, MonoTime deadline) {
  ++counts.connects;
  const MonoTime until = std::min(deadline, clock.mono() + options.connect_timeout);
  Addresses found = co_await addresses.get(until);
  if (closing) co_return not_sent(Fault::cancelled, "cancelled");
  if (found.fault != Fault::none) co_return not_sent(found.fault, std::move(found.detail));
  auto stream = options.url.https ? tls_stream(executor, tls, options.url.host)
                                  : tcp_stream(executor);
  slot->connection = std::make_unique<ClientConnection>(std::move(stream), options.answer, clock);
  slot->deadline = until;
  slot->on_deadline = StopCause::connectDeadline;
  Outcome outcome = co_await slot->connection->connect(std::move(found.list), options.egress);
  if (outcome.fault != Fault::none) addresses.forget();
  co_return outcome;
}

void HttpClientPool::Impl::write_head(Slot& slot, const HttpCall& call) const {
  std::array<char, 20> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(),
                                          call.body.size());
  std::string& head = slot.head;
  head.assign(call.method);
  head += ' ';
  head += call.target;
  head += host_line;
  head += call.headers;
  head += "Content-Length: ";
  head.append(digits.data(), end);
  head += "\r\n\r\n";
}

void HttpClientPool::Impl::start_watching() {
  if (!sweeping) {
    sweeping = true;
    group.spawn(sweep_loop());
  }
  if (sweep_is_slow) sweep_timer.cancel();
  sweep_is_slow = false;
}

// Often while calls run, seldom while there are only idle connections, not at all without any.
async::Task<> HttpClientPool::Impl::sweep_loop() {
  while (!closing || counts.busy > 0) {
    sweep_is_slow = counts.busy == 0;
    error_code ignored;
    sweep_timer.expires_after(sweep_is_slow ? kIdleSweep : options.sweep_interval);
    co_await sweep_timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    sweep();
    if (counts.busy == 0 && counts.idle == 0) break;
  }
  sweep_is_slow = false;
  sweeping = false;
}

void HttpClientPool::Impl::sweep() {
  const MonoTime now = clock.mono();
  counts.idle = 0;
  for (const auto& slot : slots) {
    if (slot->busy && slot->connection && slot->deadline <= now)
      slot->connection->stop(slot->on_deadline);
    if (!slot->busy && slot->connection && slot->idle_until <= now) slot->connection.reset();
    counts.idle += !slot->busy && slot->connection ? 1 : 0;
  }
  for (Waiter& waiter : waiters) {
    if (waiter.deadline > now || waiter.slot != nullptr || waiter.stop != StopCause::none) continue;
    waiter.stop = StopCause::deadline;
    waiter.turn.notify();
  }
}

void HttpClientPool::Impl::release_call() {
  if (--counts.busy == 0 && closing) quiet.notify();
}

HttpClientPool::HttpClientPool(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpClientPool::~HttpClientPool() = default;

Result<std::unique_ptr<HttpClientPool>> HttpClientPool::open(async::Executor executor,
                                                             async::Clock& clock,
                                                             HttpClientOptions options) {
  auto impl = std::make_unique<Impl>(std::move(executor), clock, std::move(options));
  if (impl->options.url.https) {
    WEIR_TRY(impl->tls, load_tls_client(impl->options.ca_file));
  }
  return std::unique_ptr<HttpClientPool>(new HttpClientPool(std::move(impl)));
}

async::Task<Outcome> HttpClientPool::call(HttpCall call) {
  if (impl_->closing) co_return not_sent(Fault::cancelled, "cancelled");
  const MonoTime start = impl_->clock.mono();
  ++impl_->counts.busy;
  impl_->start_watching();
  Outcome outcome = co_await impl_->run(call);
  outcome.latency = impl_->clock.mono() - start;
  impl_->release_call();
  co_return outcome;
}

async::Task<> HttpClientPool::close() {
  impl_->closing = true;
  impl_->addresses.cancel();
  for (Waiter& waiter : impl_->waiters) {
    if (waiter.slot != nullptr || waiter.stop != StopCause::none) continue;
    waiter.stop = StopCause::cancelled;
    waiter.turn.notify();
  }
  for (const auto& slot : impl_->slots) {
    if (slot->busy && slot->connection) slot->connection->stop(StopCause::cancelled);
    if (!slot->busy) slot->connection.reset();
  }
  while (impl_->counts.busy > 0) co_await impl_->quiet.wait();
  impl_->sweep_timer.cancel();
  co_await impl_->group.join();
}

HttpClientCounts HttpClientPool::counts() const {
  HttpClientCounts counts = impl_->counts;
  counts.waiting = impl_->waiters.size();
  return counts;
}

}  // namespace weir::net
