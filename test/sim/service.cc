// SPDX-License-Identifier: Apache-2.0
// The handlers.
#include <algorithm>

#include <fmt/format.h>

#include "policy/effect_weight.h"
#include "retry_bound.h"
#include "sim_config.h"
#include "world.h"

namespace weir::engine_sim {
namespace {

using std::chrono::milliseconds;

constexpr Duration kReloadSlack = milliseconds{100};  // admitted under the last configuration
constexpr Duration kProbesTake = milliseconds{1000};  // at most, until the breaker has closed

}  // namespace

std::uint32_t number_of(std::string_view name) {
  return static_cast<std::uint32_t>(std::stoul(std::string(name.substr(1))));
}

std::string data_of(std::uint32_t event) { return fmt::format(R"({{"number":{}}})", event); }

void World::serve(engine_test::Process& process, const Config& config) {
  process_ = &process;
  take(config);
  former_until_ = {};
  retries_since_ = process.clock().mono();
  journal_.over_here.clear();
  journal_.publishing = 0;
  for (Call& call : journal_.calls) call.running = false;
}

void World::expect(const Config& next) {
  cap_ = std::max(cap_, next.dependencies[0].policy.concurrency.max_parallel_requests);
  rate_.enabled = false;
}

// What was admitted before a reload may still wait for its claim to be durable.
void World::take(const Config& config) {
  former_cap_ = cap_;
  former_until_ = process_->clock().mono() + kReloadSlack;
  cap_ = config.dependencies[0].policy.concurrency.max_parallel_requests;
  rate_ = config.dependencies[0].policy.rate_limit;
  const RetryConstraintSpec& retries = config.dependencies[0].policy.retry_constraint;
  if (retries != retries_) retries_since_ = former_until_;
  retries_ = retries;
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
  check_begin(seen, call);
  check_rate(seen);
  seen.work = work_of(seen);
  journal_.calls.push_back(seen);
  if (const auto above = above_retry_bound(journal_.calls, retries_, retries_since_);
      !above.empty())
    journal_.fail(fmt::format("{} e{}: {}", flow, seen.event, above));
  ++journal_.counts["calls"];
  journal_.note(
      fmt::format("call {} e{} r{} attempt {}", flow, seen.event, seen.replay, seen.attempt));
  return journal_.calls.size() - 1;
}

void World::check_begin(const Call& call, const ports::Invocation& invocation) {
  const std::string who = fmt::format("{} e{} r{}", call.flow, call.event, call.replay);
  const OneOf one{call.flow, call.event};
  const bool published = journal_.pending.contains(call.event) ||
                         journal_.stored.contains(call.event);
  if (!published) journal_.fail(who + " was called and nobody published it");
  if (invocation.event.data != data_of(call.event)) journal_.fail(who + " came with other data");
  const auto [known, is_new] = journal_.keys.emplace(one, invocation.idempotency_key);
  if (!is_new && known->second != invocation.idempotency_key)
    journal_.fail(who + " came under another idempotency key");
  if (journal_.over.contains({call.flow, call.event, call.replay}))
    journal_.fail(who + " was called again after its release was settled");
  if (journal_.over_here.contains(one) && call.replay == 0)
    journal_.fail(who + " was called again after it was done");
  if (journal_.closed.contains(one))
    journal_.fail(who + " was called after it was settled by hand");
  std::uint32_t running = 1;
  std::uint32_t attempts = 1;
  for (const Call& other : journal_.calls) {
    if (other.life != call.life) continue;
    running += other.running;
    const bool same = other.flow == call.flow && other.event == call.event;
    attempts += same && other.replay == call.replay && other.counts;
    const bool same_key = call.flow == "orders" && other.flow == "orders" &&
                          key_of(other.event) == key_of(call.event);
    if (other.running && (same || same_key))
      journal_.fail(fmt::format("{} was called while e{} was running", who, other.event));
  }
  if (attempts > kMaxAttempts) journal_.fail(fmt::format("{}: attempt {}", who, attempts));
  const std::uint32_t cap = call.at < former_until_ ? std::max(cap_, former_cap_) : cap_;
  if (running > cap) journal_.fail(fmt::format("{}: {} calls at once of {}", who, running, cap));
}

// A token bucket of its own; what was admitted waits for a commit before it is sent.
void World::check_rate(const Call& call) {
  if (!rate_.enabled) return;
  const double most = rate_.burst + 1 +
                      rate_.per_second * std::chrono::duration<double>(kReloadSlack).count();
  const std::chrono::duration<double> passed = call.at - tokens_at_;
  tokens_ = std::min(most, tokens_ + passed.count() * rate_.per_second) - 1;
  tokens_at_ = call.at;
  if (tokens_ < 0)
    journal_.fail(fmt::format("{} e{}: above the rate limit", call.flow, call.event));
}

// As policy/work.h has it. While the breaker is half open retries are probes, which are free.
Call::Work World::work_of(const Call& call) {
  policy::Guardrails& guardrails = process_->engine().find_dispatcher("d")->guardrails();
  if (guardrails.worst_breaker(call.at).state(call.at) == policy::Breaker::State::halfOpen)
    probing_until_ = call.at + kProbesTake;
  const bool again = std::ranges::any_of(journal_.calls, [&](const Call& other) {
    return other.life == call.life && other.counts && other.flow == call.flow &&
           other.event == call.event && other.replay == call.replay;
  });
  if (!again) return call.replay == 0 ? Call::Work::first : Call::Work::other;
  return call.at < probing_until_ ? Call::Work::other : Call::Work::charged;
}

void World::note_end(std::size_t index, const Outcome& outcome) {
  Call& call = journal_.calls[index];
  call.running = false;
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
