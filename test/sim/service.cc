// SPDX-License-Identifier: Apache-2.0
// The handlers.
#include <algorithm>

#include <fmt/format.h>

#include "policy/effect_weight.h"
#include "sim_config.h"
#include "world.h"

namespace weir::engine_sim {
namespace {

using std::chrono::milliseconds;

}  // namespace

std::uint32_t number_of(std::string_view name) {
  return static_cast<std::uint32_t>(std::stoul(std::string(name.substr(1))));
}

std::string data_of(std::uint32_t event) { return fmt::format(R"({{"number":{}}})", event); }

void World::serve(engine_test::Process& process, const Config& config) {
  process_ = &process;
  take(config);
  former_until_ = {};
  retries_.earliest = retries_.latest = process.clock().mono();
  journal_.begin_life();
}

void World::expect(const Config& next) {
  cap_ = std::max(cap_, next.dependencies[0].policy.concurrency.max_parallel_requests);
  rate_.enabled = false;
  if (next.dependencies[0].policy.retry_constraint == retries_.spec) return;
  retries_.earliest = process_->clock().mono();
  retries_.latest = MonoTime::max();
}

// What was admitted before a reload may still wait for its claim to be durable.
void World::take(const Config& config) {
  former_cap_ = cap_;
  former_until_ = process_->clock().mono() + kAdmittedBefore;
  cap_ = config.dependencies[0].policy.concurrency.max_parallel_requests;
  rate_ = config.dependencies[0].policy.rate_limit;
  if (retries_.latest == MonoTime::max()) retries_.latest = former_until_;
  retries_.spec = config.dependencies[0].policy.retry_constraint;
  tokens_ = 1e9;
}

World::Answer World::draw_answer(const std::string& flow, std::uint32_t event, Rng& rng) const {
  const bool poisoned = is_on(Fault::badAnswers) && event % 7 == plan_.seed % 7;
  if (poisoned && flow != "extra") return rng.below(2) == 0 ? Answer::poison : Answer::conflict;
  if (rng.below(100) >= journal_.bad_percent) return Answer::ok;
  switch (rng.below(10)) {
    case 0: return is_on(Fault::badAnswers) ? Answer::throttled : Answer::ok;
    case 1: return is_on(Fault::badAnswers) ? Answer::ended : Answer::ok;
    case 2: return is_on(Fault::badAnswers) ? Answer::refused : Answer::ok;
    case 3: return is_on(Fault::badAnswers) && rng.below(4) == 0 ? Answer::discard : Answer::ok;
    case 4:
    case 5: return is_on(Fault::slow) ? Answer::slow : Answer::ok;
    case 6: return is_on(Fault::hang) ? Answer::hang : Answer::ok;
    default: return is_on(Fault::badAnswers) ? Answer::failing : Answer::ok;
  }
}

async::Task<Outcome> World::call(std::string flow, const ports::Invocation& call) {
  if (!process_->reaches_the_handler())
    co_return Outcome{.fault = weir::Fault::refused, .phase = Phase::notSent};
  const std::size_t index = note_begin(flow, call);
  const std::uint32_t event = journal_.calls[index].event;
  Rng rng = die(plan_.seed, flow, event, index);
  Answer answer = draw_answer(flow, event, rng);
  const Duration quick{1 + rng.below(6000)};
  const Duration late = call.timeout / 10 * static_cast<int>(3 + rng.below(12));
  const Duration takes = answer == Answer::slow ? late : quick;
  const MonoTime deadline = call.deadline;
  const bool pays = !call.token.empty() && (answer == Answer::ok || answer == Answer::slow);
  if (answer == Answer::hang && !call.token.empty() && is_on(Fault::lateEffects))
    process_->spawn(pay_late(event, std::string(call.token), deadline + milliseconds{50}));
  if (pays) {
    const int paid = co_await pay(event, std::string(call.token), rng);
    if (paid != 200) answer = Answer::failing;
  }
  Outcome outcome = co_await answered(answer, takes, deadline);
  note_end(index, outcome);
  co_return outcome;
}

async::Task<Outcome> World::answered(Answer answer, Duration takes, MonoTime deadline) {
  async::Clock& clock = process_->clock();
  const MonoTime began = clock.mono();
  const MonoTime ends = answer == Answer::hang ? MonoTime::max() : began + takes;
  co_await clock.sleep_until(std::min(ends, deadline));
  Outcome outcome{.latency = clock.mono() - began, .waited = clock.mono() - began};
  const auto failed = [&](weir::Fault fault, Phase phase) {
    outcome.fault = fault;
    outcome.phase = phase;
  };
  if (clock.mono() < std::min(ends, deadline)) {
    failed(weir::Fault::cancelled, Phase::maybeSeen);
  } else if (ends > deadline) {
    if (answer == Answer::slow) journal_.sometimes.reached(Rare::lateAnswer);
    failed(weir::Fault::timeout, Phase::maybeSeen);
  } else {
    switch (answer) {
      case Answer::failing: outcome.status = 503; break;
      case Answer::throttled:
        outcome.status = 429;
        outcome.headers = {{"retry-after", "1"}};
        break;
      case Answer::poison: outcome.status = 422; break;
      case Answer::conflict: outcome.status = 409; break;
      case Answer::ended: failed(weir::Fault::connectionClosed, Phase::maybeSeen); break;
      case Answer::refused: failed(weir::Fault::refused, Phase::notSent); break;
      case Answer::discard:
        outcome.status = 422;
        outcome.headers = {{"weir-outcome", "discard"}};
        break;
      default: outcome.status = 200; break;
    }
  }
  co_return outcome;
}

std::size_t World::note_begin(const std::string& flow, const ports::Invocation& call) {
  Call seen{.flow = flow,
            .event = number_of(call.event.id),
            .replay = call.replay.empty() ? 0 : number_of(call.replay),
            .attempt = call.attempt,
            .life = journal_.life,
            .at = process_->clock().mono()};
  seen.work = work_of(seen);
  check_call(seen, call);
  journal_.calls.push_back(seen);
  check_budget();
  ++journal_.counts["calls"];
  journal_.note(
      fmt::format("call {} e{} r{} attempt {}", flow, seen.event, seen.replay, seen.attempt));
  return journal_.calls.size() - 1;
}

void World::note_end(std::size_t index, const Outcome& outcome) {
  Call& call = journal_.calls[index];
  call.running = false;
  call.ended = true;
  call.unknown = outcome.fault != weir::Fault::none && outcome.phase == Phase::maybeSeen;
  call.status = outcome.status;
  journal_.note(fmt::format("answer {} e{} r{} {} {}", call.flow, call.event, call.replay,
                            outcome.status, to_text(outcome.fault)));
  if (outcome.status == 200) journal_.answered.insert({call.flow, call.event});
}

// A handler that could not pay because of our own guardrails: it will be called once more.
void World::take_back(const Release& release) {
  const auto last = std::ranges::find_if(
      journal_.calls.rbegin(), journal_.calls.rend(),
      [&](const Call& call) { return Release{call.flow, call.event, call.replay} == release; });
  if (last == journal_.calls.rend() || last->flow != "feed")
    return journal_.fail("a handler without effects is said to have had one refused");
  last->counts = false;
}

void World::on_decision(const ports::DecisionRecord& record) {
  const std::uint32_t event = number_of(record.event_id);
  const DecisionKind kind = record.decision->kind;
  const std::string flow(record.flow);
  journal_.note(fmt::format("decision {} e{} r{} attempt {}: {} {}", flow, event,
                            record.replay.value, record.attempt, to_text(kind),
                            record.decision->rule));
  Sometimes& sometimes = journal_.sometimes;
  if (kind == DecisionKind::defer) {
    sometimes.reached(Rare::deferred);
    if (record.decision->rule == policy::kRuleEffectRefused)
      take_back({flow, event, record.replay.value});
  }
  if (record.decision->failure == FailureClass::expired) sometimes.reached(Rare::expired);
  if (record.decision->failure == FailureClass::interrupted)
    sometimes.reached(Rare::interruptionsCapped);
  if (kind == DecisionKind::quarantine && record.decision->in_doubt)
    sometimes.reached(Rare::inDoubt);
  if (kind == DecisionKind::done && journal_.full) sometimes.reached(Rare::diskFullSettled);
  if (kind == DecisionKind::retryAt || kind == DecisionKind::defer) return;
  // Of what is done at once the settling is only queued.
  const bool durable = record.replay || record.attempt > 1 || kind == DecisionKind::quarantine;
  if (kind == DecisionKind::pauseFlow) return;
  if (durable) journal_.over.insert({flow, event, record.replay.value});
  if (kind == DecisionKind::done) journal_.over_here.insert({flow, event});
  if (kind == DecisionKind::discard) journal_.closed.insert({flow, event});
}

}  // namespace weir::engine_sim
