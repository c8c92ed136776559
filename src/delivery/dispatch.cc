// SPDX-License-Identifier: Apache-2.0
#include "delivery/dispatch.h"

#include <algorithm>

#include "async/turn.h"
#include "base/assert.h"

namespace weir::delivery {

using policy::Work;

namespace {
// The same moment, reckoned from two readings of the clock, is not exactly the same.
constexpr Duration kAlarmTick = std::chrono::milliseconds{1};
// Between two looks for what has expired, after one that found something and one that did not.
constexpr Duration kLookOn = std::chrono::milliseconds{100};
constexpr Duration kLookAgain = std::chrono::milliseconds{500};
}  // namespace

Dispatcher::Dispatcher(DependencySpec spec, DeliveryParts& parts)
    : spec_(std::move(spec)), parts_(parts), guardrails_(spec_.policy), rows_(parts) {}

void Dispatcher::update(DependencySpec spec) {
  guardrails().update(spec.policy, parts_.clock.mono());
  spec_ = std::move(spec);
  pump();
}

void Dispatcher::control(BreakerControl control) {
  const MonoTime now = parts_.clock.mono();
  const WallTime wall = parts_.clock.wall();
  const bool ends = control.until != WallTime{};
  if (control_ == control) return;
  control_.reset();
  if (ends && control.until <= wall) control.order = BreakerOrder::automatic;
  guardrails().force_breakers(control.order, ends ? now + (control.until - wall) : MonoTime::max(),
                              now);
  if (control.order != BreakerOrder::automatic) control_ = std::move(control);
  pump();
}

const BreakerControl* Dispatcher::control() {
  const bool over = control_ && control_->until != WallTime{} &&
                    control_->until <= parts_.clock.wall();
  if (over) control_.reset();
  return control_ ? &*control_ : nullptr;
}

void Dispatcher::remove(Flow* flow) {
  std::erase_if(members_, [flow](const Member& member) { return member.flow == flow; });
}

void Dispatcher::flows_changed(bool has_effects) {
  std::vector<std::string_view> paths;
  for (const Member& member : members_) paths.push_back(member.flow->spec().path);
  if (has_effects) paths.push_back(policy::kEffectsPath);
  guardrails().set_paths(paths, parts_.clock.mono());
  pump();
}

// Asked at each pump: flows come, go and change.
void Dispatcher::bound_concurrency() {
  Duration longest{};
  for (const Member& member : members_)
    longest = std::max(longest, member.flow->spec().policy.timeouts.attempt);
  guardrails().bound_concurrency(policy::concurrency_for(spec_.capacity_per_second, longest));
}

void Dispatcher::pump() {
  if (pump_asked_ || stopping_) return;
  pump_asked_ = true;
  parts_.tasks.spawn(pump_after_turn());
}

async::Task<> Dispatcher::pump_after_turn() {
  co_await async::turn();
  pump_asked_ = false;  // whatever completes at once while dispatching asks again
  if (!stopping_) dispatch();
}

void Dispatcher::dispatch() {
  bound_concurrency();
  refusal_.reset();
  ask_again_ = MonoTime::max();
  Blocked blocked;
  while (admit_burst(blocked)) {
  }
  const WallTime wall = parts_.clock.wall();
  note_full_flows(wall);
  set_alarm(wall);
  if (!refusal_ || looking_) return;
  looking_ = true;
  parts_.alarms.spawn(look_for_expired());
}

void Dispatcher::note_full_flows(WallTime wall) {
  for (const Member& member : members_) {
    member.flow->note_full(wall);
    if (!member.flow->is_full() || refusal_) continue;
    refusal_ = Refusal{Guardrail::memory, MonoTime::max(),
                       fmt::format("{} deliveries of flow {} wait for a retry: no first attempts",
                                   member.flow->retries().size(), member.flow->spec().name)};
  }
}

// Whatever is admitted is looked at then; here is what the guardrails keep from being admitted.
async::Task<> Dispatcher::look_for_expired() {
  Duration wait = kLookAgain;
  while (refusal_ && !stopping_) {
    co_await parts_.clock.sleep_until(parts_.clock.mono() + wait);
    if (stopping_) break;
    wait = expire_overdue(parts_.clock.wall()) ? kLookOn : kLookAgain;
  }
  looking_ = false;
}

bool Dispatcher::expire_overdue(WallTime wall) {
  bool found = false;
  for (const Member& member : members_) {
    Flow* flow = member.flow;
    if (!flow->may_dispatch() || !flow->recovered()) continue;
    if (parts_.settler.backlog() >= Settler::kBacklogMax) return true;
    for (Candidate& candidate : flow->take_expired_events(wall)) {
      found = true;
      parts_.tasks.spawn(expire_event(*flow, std::move(candidate)));
    }
    for (const Due& due : flow->take_expired_rows(wall)) {
      found = true;
      parts_.tasks.spawn(expire_row(*flow, due));
    }
  }
  return found;
}

bool Dispatcher::admit_burst(Blocked& blocked) {
  burst_.open();
  int admitted = 0;
  while (admitted < kBurstMax && parts_.settler.backlog() < Settler::kBacklogMax &&
         admit_one(blocked)) {
    ++admitted;
  }
  burst_.close();
  return admitted == kBurstMax;
}

bool Dispatcher::admit_one(Blocked& blocked) {
  const WallTime wall = parts_.clock.wall();
  const auto ready = ready_work(wall, blocked);
  const std::optional<Work> work = order_.next(ready);
  if (!work) return false;
  Member* const member = next_member(*work, wall, blocked);
  WEIR_ASSERT(member != nullptr);
  Flow* const flow = member->flow;
  policy::Asked asked{.work = *work, .path = flow->spec().path};
  if (*work == Work::retry) asked.cost = flow->retries().next().cost;
  Admission admission{.at = parts_.clock.mono()};
  if (auto refusal = guardrails().admit(asked, admission.at, admission.permit))
    return refused(*work, *flow, std::move(*refusal), blocked);
  order_.served(*work, ready);
  turns_.served(member->share, policy::weight_of(flow->spec().priority));
  start(*work, *flow, std::move(admission));
  return true;
}

bool Dispatcher::refused(Work work, const Flow& flow, Refusal refusal, Blocked& blocked) {
  ask_again_ = std::min(ask_again_, refusal.until);
  const bool only_retries = refusal.guardrail == Guardrail::retryBudget;
  const bool only_path = refusal.guardrail == Guardrail::breaker &&
                         spec_.policy.circuit_breaker.per_path;
  if (only_retries) blocked.work[static_cast<std::size_t>(work)] = true;
  if (only_path) blocked.paths.push_back(flow.spec().path);
  refusal_ = std::move(refusal);
  return only_retries || only_path;
}

policy::AdmissionOrder::Ready Dispatcher::ready_work(WallTime now, const Blocked& blocked) {
  policy::AdmissionOrder::Ready ready{};
  for (const Work work : policy::kAllWork) {
    const auto index = static_cast<std::size_t>(work);
    ready[index] = std::ranges::any_of(
        members_, [&](const Member& member) { return flow_has(*member.flow, work, now, blocked); });
  }
  return ready;
}

bool Dispatcher::flow_has(Flow& flow, Work work, WallTime now, const Blocked& blocked) {
  if (!flow.may_dispatch() || !flow.recovered()) return false;
  if (blocked.work[static_cast<std::size_t>(work)]) return false;
  if (std::ranges::find(blocked.paths, flow.spec().path) != blocked.paths.end()) return false;
  switch (work) {
    case Work::first: return flow.has_resumed() || (flow.has_ready() && !flow.is_full());
    case Work::retry: return !flow.retries().empty() && flow.retries().next().due <= now;
    case Work::replay: return !flow.replays().empty();
  }
  return false;
}

Dispatcher::Member* Dispatcher::next_member(Work work, WallTime now, const Blocked& blocked) {
  Member* next = nullptr;
  for (Member& member : members_) {
    if (next != nullptr && turns_.start(member.share) >= turns_.start(next->share)) continue;
    if (flow_has(*member.flow, work, now, blocked)) next = &member;
  }
  return next;
}

void Dispatcher::start(Work work, Flow& flow, Admission admission) {
  if (work == Work::first && !flow.has_resumed()) {
    parts_.tasks.spawn(deliver_event(flow, flow.take_ready(), std::move(admission)));
    return;
  }
  Due due;
  if (work == Work::first) {
    due = flow.take_resumed();
  } else {
    due = (work == Work::retry ? flow.retries() : flow.replays()).take_next();
  }
  parts_.tasks.spawn(deliver_row(flow, due, work, std::move(admission)));
}

// One sleeper per moment that is earlier than all others: it wakes, pumps, and is gone.
void Dispatcher::set_alarm(WallTime wall) {
  MonoTime at = ask_again_;
  const MonoTime now = parts_.clock.mono();
  for (const Member& member : members_) {
    Flow* flow = member.flow;
    if (!flow->active() || flow->retries().empty()) continue;
    const WallTime due = flow->retries().next().due;
    if (due > wall) at = std::min(at, now + (due - wall));
  }
  if (at == MonoTime::max() || stopping_) return;
  if (!alarms_.empty() && *alarms_.begin() <= at + kAlarmTick) return;
  alarms_.insert(at);
  parts_.alarms.spawn(alarm(at));
}

async::Task<> Dispatcher::alarm(MonoTime at) {
  co_await parts_.clock.sleep_until(at);
  alarms_.erase(at);
  pump();
}

}  // namespace weir::delivery
