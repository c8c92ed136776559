// SPDX-License-Identifier: Apache-2.0
#include "life.h"

#include <algorithm>
#include <span>
#include <unistd.h>

#include <fmt/format.h>

#include "bank.h"

namespace weir::crash {
namespace {

constexpr Duration kCallTakes = std::chrono::milliseconds{3};

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

engine_test::Machine machine_of(Site& site) {
  return {.now = site.journal.now,
          .wall_ahead = site.journal.wall_ahead,
          .vfs = site.vfs,
          .folder = site.folder,
          .reserve_bytes = site.reserve_bytes,
          .log_bytes = site.log_bytes};
}

}  // namespace

Life::Life(Site& site) : Process(machine_of(site), *this), site_(site) {
  ++site_.journal.life;
  start(site_.story.config);
}

Life::~Life() { end(); }

void Life::on_decision(const ports::DecisionRecord& record) {
  const DecisionKind kind = record.decision->kind;
  const bool open = kind == DecisionKind::retryAt || kind == DecisionKind::defer;
  if (!record.replay || open) return;
  Journal& journal = site_.journal;
  for (Call& call : std::span(journal.calls).first(journal.count)) {
    if (call.replay == record.replay.value && name_of(call.flow) == record.flow &&
        call.event == number_of(record.event_id))
      call.settled = true;
  }
}

// The receiving service outlives every crash, and is all that an outsider can count with.
async::Task<Outcome> Life::call(std::string flow, const ports::Invocation& call) {
  Outcome outcome{.latency = kCallTakes};
  if (!reaches_the_handler()) {
    outcome.fault = Fault::refused;
    outcome.phase = Phase::notSent;
    co_return outcome;
  }
  const FlowName name = flow == "orders" ? FlowName::orders : FlowName::feed;
  const Call& seen = note(name, call);
  if (name == FlowName::orders && seen.event == site_.journal.poison) _exit(kPoisoned);
  outcome.status = seen.status;
  if (!call.token.empty()) outcome.status = co_await pay(call, seen.event);
  if (outcome.status >= 400) outcome.body = problem_of(name, seen);
  co_await clock().sleep_until(clock().mono() + kCallTakes);
  co_return outcome;
}

Call& Life::note(FlowName flow, const ports::Invocation& call) {
  Journal& journal = site_.journal;
  if (journal.count == kCallsMax) throw std::runtime_error("calls without end");
  Call& seen = journal.calls[journal.count++];
  seen.flow = flow;
  seen.event = number_of(call.event.id);
  seen.attempt = call.attempt;
  seen.replay = call.replay.empty() ? 0 : number_of(call.replay);
  seen.late = is_late(journal, seen);
  seen.life = journal.life;
  seen.status = site_.story.answer(journal, flow, seen.event);
  seen.at = clock().mono();
  if (call.idempotency_key.size() != seen.key.size()) throw std::runtime_error("odd key");
  std::ranges::copy(call.idempotency_key, seen.key.begin());
  return seen;
}

async::Task<int> Life::pay(const ports::Invocation& call, std::uint32_t event) {
  effects::EffectReply reply = co_await gateway().call(payment_of(event, call.token));
  if (reply.error || reply.answer.status >= 300) co_return 500;
  note_heard(site_.journal, event);
  co_return 200;
}

// The service is asked how it is.
async::Task<Result<policy::ProbeAnswer>> Life::probe(Duration) {
  co_await clock().sleep_until(clock().mono() + kCallTakes);
  const int health = site_.journal.health;
  if (health == 0) co_return Error{Code::request_timeout, "no answer", ""};
  co_return policy::ProbeAnswer{.status = health};
}

async::Task<Outcome> Life::effect(effects::Send send) {
  if (!reaches_the_handler()) co_return Outcome{.fault = Fault::refused, .phase = Phase::notSent};
  Outcome outcome = serve(site_.journal, send);
  co_await clock().sleep_until(clock().mono() + kCallTakes);
  outcome.latency = kCallTakes;
  co_return outcome;
}

}  // namespace weir::crash
