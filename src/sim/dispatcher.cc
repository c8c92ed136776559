// SPDX-License-Identifier: Apache-2.0
#include "sim/dispatcher.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"
#include "policy/concurrency.h"
#include "policy/deadline.h"
#include "policy/decide.h"
#include "policy/rate_headers.h"
#include "policy/retry_tokens.h"

namespace weir::sim {

using policy::Work;

namespace {

// As delivery looks for what expires while it is refused.
constexpr Duration kLookAgain = std::chrono::milliseconds{500};
constexpr Duration kAlarmTick = std::chrono::milliseconds{1};

bool later(const Job& one, const Job& other) {
  return one.due != other.due ? one.due > other.due : one.event > other.event;
}

Outcome outcome_of(std::uint16_t status) {
  Outcome outcome;
  if (status > kClosed) {
    outcome.status = status;
  } else if (status == kRefused) {
    outcome.fault = Fault::refused;
    outcome.phase = Phase::notSent;
  } else {
    outcome.fault = status == kClosed ? Fault::connectionClosed : Fault::timeout;
  }
  return outcome;
}

}  // namespace

Dispatcher::Dispatcher(Parts parts, const std::vector<const FlowPlan*>& flows, std::uint32_t index)
    : parts_(parts), index_(index), guardrails_(parts.plan.spec.policy) {
  for (const FlowPlan* plan : flows) {
    members_.push_back(
        {.plan = plan, .brake = policy::DeadLetterBrake(plan->spec.policy.dead_letter_brake)});
  }
  bound_concurrency();
  std::vector<std::string_view> paths;
  for (const Member& member : members_) paths.push_back(member.plan->spec.path);
  guardrails_.set_paths(paths, parts_.stage.now);
}

void Dispatcher::bound_concurrency() {
  Duration longest{};
  for (const Member& member : members_)
    longest = std::max(longest, member.plan->spec.policy.timeouts.attempt);
  guardrails_.bound_concurrency(
      policy::concurrency_for(parts_.plan.spec.capacity_per_second, longest));
}

void Dispatcher::arrived(std::uint32_t flow, std::uint32_t event, std::uint32_t client) {
  Member& member = members_[flow];
  const Duration lasts = member.plan->spec.policy.timeouts.event;
  member.ready.push_back({.event = event,
                          .member = flow,
                          .client = client,
                          .arrived = parts_.stage.now,
                          .deadline = parts_.stage.wall() + lasts});
  list(member);
  ++parts_.tally.second.offered;
  ++parts_.tally.totals.events;
  pump();
}

void Dispatcher::alarm() {
  if (alarm_at_ > parts_.stage.now) return;  // an earlier one was set meanwhile
  alarm_at_ = MonoTime::max();
  pump();
}

void Dispatcher::list(Member& member) {
  if (std::exchange(member.listed, true)) return;
  with_work_.insert(std::ranges::upper_bound(with_work_, &member), &member);
}

void Dispatcher::drop_idle() {
  std::erase_if(with_work_, [](Member* member) {
    member->listed = !member->ready.empty() || !member->retries.empty();
    return !member->listed;
  });
}

void Dispatcher::pump() {
  drop_idle();
  expire_overdue();
  ask_again_ = MonoTime::max();
  is_refused_ = false;
  Blocked blocked{};
  while (admit_one(blocked)) {
  }
  set_alarm();
}

bool Dispatcher::has(const Member& member, Work work, const Blocked& blocked) const {
  if (member.paused || blocked[static_cast<std::size_t>(work)]) return false;
  switch (work) {
    case Work::first: {
      const bool is_full = member.retries.size() >= member.plan->spec.policy.retry.max_waiting;
      return !member.ready.empty() && !is_full;
    }
    case Work::retry:
      return !member.retries.empty() && member.retries.front().due <= parts_.stage.wall();
    case Work::replay: return false;
  }
  return false;
}

policy::AdmissionOrder::Ready Dispatcher::ready_work(const Blocked& blocked) const {
  policy::AdmissionOrder::Ready ready{};
  for (const Work work : {Work::first, Work::retry}) {
    ready[static_cast<std::size_t>(work)] = std::ranges::any_of(
        with_work_, [&](const Member* member) { return has(*member, work, blocked); });
  }
  return ready;
}

Dispatcher::Member* Dispatcher::next_member(Work work, const Blocked& blocked) {
  Member* next = nullptr;
  for (Member* const member : with_work_) {
    if (next != nullptr && turns_.start(member->share) >= turns_.start(next->share)) continue;
    if (has(*member, work, blocked)) next = member;
  }
  return next;
}

bool Dispatcher::admit_one(Blocked& blocked) {
  const auto ready = ready_work(blocked);
  const std::optional<Work> work = order_.next(ready);
  if (!work) return false;
  Member* const member = next_member(*work, blocked);
  WEIR_ASSERT(member != nullptr);
  policy::Asked asked{.work = *work, .path = member->plan->spec.path};
  if (*work == Work::retry) asked.cost = member->retries.front().cost;
  policy::Permit permit;
  if (const auto refusal = guardrails_.admit(asked, parts_.stage.now, permit))
    return refused(*work, *member, *refusal, blocked);
  order_.served(*work, ready);
  turns_.served(member->share, policy::weight_of(member->plan->spec.priority));
  call(*member, take(*work, *member), permit);
  return true;
}

// Whether something else might be admitted.
bool Dispatcher::refused(Work work, Member& member, const Refusal& refusal, Blocked& blocked) {
  ++parts_.tally.strain.refused[static_cast<std::size_t>(refusal.guardrail)];
  if (member.plan->gives_up) {
    end(member, take(work, member), End::givenUp);
    return true;
  }
  is_refused_ = true;
  ask_again_ = std::min(ask_again_, refusal.until);
  if (refusal.guardrail != Guardrail::retryBudget) return false;
  blocked[static_cast<std::size_t>(work)] = true;
  return true;
}

Job Dispatcher::take(Work work, Member& member) {
  if (work == Work::first) {
    const Job job = member.ready.front();
    member.ready.pop_front();
    return job;
  }
  std::ranges::pop_heap(member.retries, later);
  const Job job = member.retries.back();
  member.retries.pop_back();
  return job;
}

void Dispatcher::call(Member& member, Job job, const policy::Permit& permit) {
  Stage& stage = parts_.stage;
  const TimeoutsSpec& timeouts = member.plan->spec.policy.timeouts;
  const auto timeout = policy::attempt_timeout(timeouts, job.deadline, stage.wall());
  if (!timeout) {
    guardrails_.cancel(permit, stage.now);
    return end(member, job, End::expired);
  }
  ++parts_.tally.second.attempted;
  ++parts_.tally.totals.attempts;
  const MonoTime deadline = stage.now + *timeout;
  const std::uint32_t event = job.event;
  const std::uint32_t slot = parts_.calls.open({.dispatcher = index_,
                                                .job = job,
                                                .permit = permit,
                                                .started = stage.now,
                                                .deadline = deadline});
  const std::uint32_t generation = parts_.calls.at(slot).generation;
  stage.happenings.add(
      {.at = deadline, .a = slot, .generation = generation, .kind = Kind::timeout});
  parts_.server.submit(
      {.caller = slot, .generation = generation, .event = event, .deadline = deadline});
}

void Dispatcher::ended(const Call& call, std::uint16_t status) {
  Stage& stage = parts_.stage;
  Member& member = members_[call.job.member];
  Outcome outcome = outcome_of(status);
  outcome.latency = stage.now - call.started;
  const Classification failure = policy::classify(outcome, parts_.rules, member.plan->spec.name,
                                                  parts_.plan.spec.name, stage.wall());
  const auto pace = policy::read_server_pace(outcome, failure, stage.wall());
  guardrails_.record(call.permit, failure, outcome.latency, stage.now, stage.rng, pace);
  Job job = call.job;
  ++job.attempts;
  if (failure.failure == FailureClass::ok) {
    member.brake.passed(stage.now);
    end(member, job, End::done);
  } else {
    ++parts_.tally.second.failed;
    conclude(member, job, failure);
  }
  pump();
}

void Dispatcher::conclude(Member& member, Job job, const Classification& failure) {
  delivery_.attempts = job.attempts;
  delivery_.attempts_this_round = job.attempts;
  delivery_.deadline = job.deadline;
  const FlowSpec& spec = member.plan->spec;
  const Decision decision = policy::decide({.policy = spec.policy,
                                            .delivery = delivery_,
                                            .idempotent = spec.idempotent,
                                            .on_failure = spec.on_failure,
                                            .failure = failure,
                                            .now = parts_.stage.wall(),
                                            .previous_delay = job.previous_delay},
                                           parts_.stage.rng);
  job.cost = policy::retry_cost(decision.failure);
  parts_.stage.trace.add(job.event * 8ull + static_cast<std::uint64_t>(decision.kind));
  brake(member, decision);
  switch (decision.kind) {
    case DecisionKind::retryAt:
    case DecisionKind::defer: return retry_at(member, job, decision.at);
    case DecisionKind::done: return end(member, job, End::done);
    case DecisionKind::discard: return end(member, job, End::discarded);
    case DecisionKind::quarantine:
    case DecisionKind::pauseFlow: break;
  }
  const bool expired = decision.failure == FailureClass::expired;
  end(member, job, expired ? End::expired : End::quarantined);
}

void Dispatcher::retry_at(Member& member, Job job, WallTime at) {
  job.previous_delay = at - parts_.stage.wall();
  job.due = at;
  member.first_deadline = std::min(member.first_deadline, job.deadline);
  member.retries.push_back(job);
  std::ranges::push_heap(member.retries, later);
  list(member);
}

// As delivery does it: an outage must not pour the stream into quarantine.
void Dispatcher::brake(Member& member, const Decision& decision) {
  if (decision.kind == DecisionKind::pauseFlow) return pause(member, decision.reason);
  if (decision.failure == FailureClass::expired) return;
  if (decision.kind == DecisionKind::done || decision.kind == DecisionKind::discard)
    member.brake.passed(parts_.stage.now);
  if (decision.kind != DecisionKind::quarantine || member.paused) return;
  if (auto tripped = member.brake.quarantined(parts_.stage.now)) pause(member, std::move(*tripped));
}

void Dispatcher::pause(Member& member, std::string why) {
  if (member.paused) return;
  member.paused = true;
  if (parts_.tally.paused_at) return;
  parts_.tally.paused_at = to_seconds(parts_.stage.now);
  parts_.tally.paused_why = fmt::format("flow {}: {}", member.plan->spec.name, why);
}

void Dispatcher::expire_overdue() {
  const WallTime wall = parts_.stage.wall();
  for (Member* const one : with_work_) {
    Member& member = *one;
    if (member.paused) continue;
    while (!member.ready.empty() && policy::is_expired(member.ready.front().deadline, wall)) {
      end(member, member.ready.front(), End::expired);
      member.ready.pop_front();
    }
    if (member.first_deadline > wall) continue;
    member.first_deadline = WallTime::max();
    const auto expired = [&](const Job& job) {
      const bool is_over = policy::is_expired(job.deadline, wall);
      if (is_over) end(member, job, End::expired);
      if (!is_over) member.first_deadline = std::min(member.first_deadline, job.deadline);
      return is_over;
    };
    std::vector<Job> kept;
    std::ranges::copy_if(member.retries, std::back_inserter(kept), std::not_fn(expired));
    member.retries = std::move(kept);
    std::ranges::make_heap(member.retries, later);
  }
}

void Dispatcher::set_alarm() {
  const MonoTime now = parts_.stage.now;
  const WallTime wall = parts_.stage.wall();
  MonoTime at = ask_again_;
  if (is_refused_) at = std::min(at, now + kLookAgain);
  for (const Member* const member : with_work_) {
    if (member->paused || member->retries.empty()) continue;
    const WallTime due = member->retries.front().due;
    if (due > wall) at = std::min(at, now + (due - wall));
  }
  if (at == MonoTime::max()) return;
  at = std::max(at, now + kAlarmTick);
  if (at >= alarm_at_) return;
  alarm_at_ = at;
  parts_.stage.happenings.add({.at = at, .a = index_, .kind = Kind::alarm});
}

void Dispatcher::end(Member& member, const Job& job, End how) {
  Stage& stage = parts_.stage;
  Totals& totals = parts_.tally.totals;
  stage.trace.add((job.event * 8ull + static_cast<std::uint64_t>(how)) ^ (1ull << 63));
  switch (how) {
    case End::done:
      ++totals.succeeded;
      ++parts_.tally.second.succeeded;
      parts_.tally.delays.add(stage.now - job.arrived);
      parts_.tally.last_done = to_seconds(stage.now);
      break;
    case End::expired: ++totals.expired; break;
    case End::quarantined:
    case End::givenUp: ++totals.quarantined; break;
    case End::discarded: break;
  }
  const Load& load = member.plan->load;
  if (load.arrivals != Arrivals::closed) return;
  stage.happenings.add({.at = stage.now + load.think,
                        .a = static_cast<std::uint32_t>(job.member),
                        .b = job.client,
                        .generation = index_,
                        .kind = Kind::nextOf});
}

std::size_t Dispatcher::waiting() const {
  std::size_t sum = 0;
  for (const Member& member : members_) sum += member.ready.size() + member.retries.size();
  return sum;
}

double Dispatcher::budget_left() {
  const double balance = guardrails_.budget().balance(parts_.stage.now);
  best_balance_ = std::max(best_balance_, balance);
  const policy::RetryTokens& tokens = guardrails_.tokens();
  const double paid = tokens.spec().capacity > 0 ? tokens.tokens() / tokens.spec().capacity : 1;
  return std::clamp(std::min(balance / best_balance_, paid), 0.0, 1.0);
}

}  // namespace weir::sim
