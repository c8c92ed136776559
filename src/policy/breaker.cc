// SPDX-License-Identifier: Apache-2.0
#include "policy/breaker.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/seeded_bug.h"

namespace weir::policy {

std::string_view to_text(Breaker::State state) {
  switch (state) {
    case Breaker::State::closed: return "closed";
    case Breaker::State::open: return "open";
    case Breaker::State::halfOpen: return "halfOpen";
  }
  return "";
}

namespace {

constexpr std::int64_t kWindowSlots = 10;

Duration slot_of(const CircuitBreakerSpec& spec) {
  return Duration{(spec.sliding_window_size.count() + kWindowSlots - 1) / kWindowSlots};
}

CircuitBreakerSpec within_range(CircuitBreakerSpec spec) {
  spec.permitted_calls_in_half_open = std::max(spec.permitted_calls_in_half_open, 1u);
  spec.minimum_number_of_calls = std::max(spec.minimum_number_of_calls, 1u);
  return spec;
}

}  // namespace

Breaker::Breaker(const CircuitBreakerSpec& spec)
    : spec_(within_range(spec)), window_(slot_of(spec)) {
  static_assert(kSlots == kWindowSlots);
}

void Breaker::update(const CircuitBreakerSpec& spec, MonoTime now) {
  advance(now);
  if (slot_of(spec) != slot_of(spec_)) window_ = SlotRing<Sum, kSlots>(slot_of(spec));
  spec_ = within_range(spec);
  if (state_ == State::halfOpen) update_half_open(now);
  if (!spec_.enabled && !forced_open_ && state_ != State::closed) close(now, sum(now));
  if (!spec_.enabled) ramp_ = kNoRamp;
}

// The half-open state under way gets the new number of probes and the new longest wait.
void Breaker::update_half_open(MonoTime now) {
  const MonoTime latest = std::min(half_open_until_, longest_half_open(now));
  after_probe(now);
  if (state_ == State::halfOpen) half_open_until_ = std::min(half_open_until_, latest);
}

std::optional<Refusal> Breaker::refusal(MonoTime now) {
  if (!spec_.enabled && !forced_open_) return {};
  advance(now);
  if (state_ == State::open) {
    if (forced_open_) return Refusal{Guardrail::breaker, open_until_, "breaker opened by hand"};
    return Refusal{Guardrail::breaker, open_until_,
                   fmt::format("breaker open for another {} ({})", weir::to_text(open_until_ - now),
                               describe(opened_because_))};
  }
  if (state_ == State::halfOpen && probes_left() == 0 &&
      !WEIR_SEEDED_BUG("breaker.half_open_unlimited")) {
    return Refusal{
        Guardrail::breaker, half_open_until_,
        fmt::format("breaker half-open: {} probes decide", spec_.permitted_calls_in_half_open)};
  }
  return {};
}

std::optional<Refusal> Breaker::admit(MonoTime now, Epoch& epoch) {
  if (auto refused = refusal(now)) return refused;
  epoch = epoch_;
  if (state_ == State::halfOpen) {
    ++probes_used_;
    ++probes_out_;
  }
  return {};
}

void Breaker::record(Epoch epoch, bool failure, MonoTime now, Rng& rng, bool slow) {
  if (!spec_.enabled) return;
  advance(now);
  if (epoch != epoch_) return;
  if (state_ == State::closed) record_closed(failure, slow, now, rng);
  if (state_ == State::halfOpen) record_probe(failure, slow, now, rng);
}

void Breaker::inconclusive(Epoch epoch, MonoTime now) {
  if (!spec_.enabled) return;
  advance(now);
  if (epoch != epoch_ || state_ != State::halfOpen) return;
  WEIR_ASSERT(probes_out_ > 0);
  --probes_out_;
  after_probe(now);
}

void Breaker::cancelled(Epoch epoch, MonoTime now) {
  if (!spec_.enabled) return;
  advance(now);
  if (epoch != epoch_ || state_ != State::halfOpen) return;
  WEIR_ASSERT(probes_out_ > 0);
  --probes_out_;
  --probes_used_;
  after_probe(now);  // where a reload permits fewer, it may have been the last
}

void Breaker::force_open(MonoTime until, MonoTime now) {
  advance(now);
  if (was_well(now)) openings_ = 0;
  forced_closed_until_ = MonoTime::min();
  open_until_ = until;
  ramp_ = kNoRamp;
  opened_because_ = sum(now);
  change(State::open, now, opened_because_);
  transitions_[transition_count_ - 1].by_hand = true;
  forced_open_ = true;
}

void Breaker::force_closed(MonoTime until, MonoTime now) {
  advance(now);
  forced_closed_until_ = until;
  ramp_ = kNoRamp;
  if (state_ == State::closed) return;
  close(now, sum(now));
  ramp_ = kNoRamp;
  transitions_[transition_count_ - 1].by_hand = true;
}

void Breaker::release(MonoTime now) {
  advance(now);
  forced_closed_until_ = MonoTime::min();
  if (forced_open_) end_open(now);
}

void Breaker::forget(MonoTime now) {
  advance(now);
  if (state_ != State::closed) close(now, sum(now));
  forced_closed_until_ = MonoTime::min();
  window_.clear();
  ramp_ = kNoRamp;
  openings_ = 0;
  ++epoch_;
}

bool Breaker::is_forced(MonoTime now) {
  advance(now);
  return forced_open_ || now < forced_closed_until_;
}

Breaker::State Breaker::state(MonoTime now) {
  advance(now);
  return state_;
}

bool Breaker::is_idle(MonoTime now) {
  return state(now) == State::halfOpen && probes_used_ == 0 && now - half_open_since_ >= kIdleAfter;
}

double Breaker::failure_percent(MonoTime now) { return sum(now).percent(); }

double Breaker::slow_percent(MonoTime now) { return sum(now).slow_percent(); }

std::uint32_t Breaker::calls(MonoTime now) { return sum(now).calls; }

std::uint32_t Breaker::ramp_limit(MonoTime now) {
  advance(now);
  return state_ == State::closed ? ramp_ : kNoRamp;
}

std::optional<Breaker::Transition> Breaker::take_transition() {
  if (transition_count_ == 0) return {};
  const Transition oldest = transitions_.front();
  std::shift_left(transitions_.begin(), transitions_.end(), 1);
  --transition_count_;
  return oldest;
}

// What time alone changes. It is noticed at the next call: a half-open state that ended badly
// meanwhile opened then, and that wait may be over too.
void Breaker::advance(MonoTime now) {
  window_.advance(now);
  if (state_ == State::halfOpen && now >= half_open_until_) end_half_open(now);
  if (state_ == State::open && now >= open_until_) end_open(now);
}

void Breaker::end_open(MonoTime now) {
  if (!spec_.enabled) return close(now, opened_because_);
  half_open(now);
}

void Breaker::half_open(MonoTime now) {
  change(State::halfOpen, now, opened_because_);
  half_open_since_ = now;
  permit_probes(longest_half_open(now));
}

MonoTime Breaker::longest_half_open(MonoTime since) const {
  const bool bounded = spec_.max_wait_in_half_open > Duration::zero();
  return bounded ? since + spec_.max_wait_in_half_open : MonoTime::max();
}

std::uint32_t Breaker::probes_left() const {
  return spec_.permitted_calls_in_half_open -
         std::min(probes_used_, spec_.permitted_calls_in_half_open);
}

void Breaker::permit_probes(MonoTime until) {
  probes_used_ = 0;
  probes_out_ = 0;
  probes_ = {};
  half_open_until_ = until;
}

// The longest wait is over. Probes that hang are failures; without any there is nothing to judge
// by.
void Breaker::end_half_open(MonoTime now) {
  const MonoTime end = half_open_until_;
  if (probes_.calls > 0) return too_many(probes_) ? open(end, probes_) : close(end, probes_);
  if (probes_out_ > 0) return open(end, Sum{.calls = probes_out_, .failures = probes_out_});
  permit_probes(longest_half_open(now));
}

Breaker::Sum Breaker::sum(MonoTime now) {
  advance(now);
  if (state_ == State::open) return opened_because_;
  if (state_ == State::halfOpen) return probes_;
  Sum total;
  window_.for_each([&](std::int64_t, const Sum& slot) {
    total.calls += slot.calls;
    total.failures += slot.failures;
    total.slow += slot.slow;
  });
  return total;
}

bool Breaker::too_many(const Sum& sum) const {
  return sum.percent() >= spec_.failure_rate_threshold ||
         (sum.slow > 0 && sum.slow_percent() >= spec_.slow_call_rate_threshold);
}

std::string Breaker::describe(const Sum& sum) const {
  if (sum.percent() >= spec_.failure_rate_threshold || sum.slow == 0)
    return fmt::format("{:.0f} % of {} calls failed", sum.percent(), sum.calls);
  return fmt::format("{:.0f} % of {} calls took longer than {}", sum.slow_percent(), sum.calls,
                     weir::to_text(spec_.slow_call_duration_threshold));
}

void Breaker::change(State to, MonoTime now, const Sum& because) {
  if (transition_count_ == kTransitionsKept) (void)take_transition();
  transitions_[transition_count_++] = {
      state_, to, now, because.percent(), because.slow_percent(), because.calls, open_until_};
  if (state_ == State::closed) tripped_at_ = now;
  state_ = to;
  forced_open_ = false;
  ++epoch_;
}

bool Breaker::was_well(MonoTime now) const {
  return state_ == State::closed && now - closed_since_ >= spec_.sliding_window_size;
}

void Breaker::open(MonoTime now, const Sum& because) {
  if (was_well(now)) openings_ = 0;
  const double base = static_cast<double>(spec_.wait_in_open_base.count());
  const double max = static_cast<double>(spec_.wait_in_open_max.count());
  const double grown = base * std::pow(std::max(spec_.wait_in_open_multiplier, 1.0), openings_);
  const double wait = std::min(grown, std::max(max, base)) * (1 + jitter_);
  ++openings_;
  opened_because_ = because;
  ramp_ = kNoRamp;
  open_until_ = now + std::max(Duration{static_cast<std::int64_t>(wait)}, Duration{1});
  change(State::open, now, because);
}

void Breaker::close(MonoTime now, const Sum& because) {
  window_.clear();
  closed_since_ = now;
  ramp_ = spec_.enabled ? spec_.permitted_calls_in_half_open : kNoRamp;
  ramp_batch_ = {};
  change(State::closed, now, because);
}

void Breaker::record_closed(bool failure, bool slow, MonoTime now, Rng& rng) {
  window_.newest().add(failure, slow);
  step_ramp(failure, slow);
  if (now < forced_closed_until_) return;
  const Sum total = sum(now);
  if (total.calls < spec_.minimum_number_of_calls || !too_many(total)) return;
  jitter_ = std::clamp(spec_.wait_in_open_jitter, 0.0, 1.0) * rng.unit();
  open(now, total);
}

void Breaker::record_probe(bool failure, bool slow, MonoTime now, Rng& rng) {
  WEIR_ASSERT(probes_out_ > 0);
  --probes_out_;
  probes_.add(failure, slow);
  jitter_ = std::clamp(spec_.wait_in_open_jitter, 0.0, 1.0) * rng.unit();
  after_probe(now);
}

void Breaker::after_probe(MonoTime now) {
  if (probes_left() > 0 || probes_out_ > 0) return;
  const bool bad = too_many(probes_) || WEIR_SEEDED_BUG("breaker.never_closes");
  if (probes_.calls > 0) return bad ? open(now, probes_) : close(now, probes_);
  half_open_until_ = now + std::max(spec_.wait_in_open_base, Duration{1});
}

void Breaker::step_ramp(bool failure, bool slow) {
  if (ramp_ == kNoRamp) return;
  ramp_batch_.add(failure, slow);
  if (ramp_batch_.calls < ramp_) return;
  ramp_ = too_many(ramp_batch_) ? spec_.permitted_calls_in_half_open : ramp_ * 2;
  ramp_batch_ = {};
  if (ramp_ >= kRampEnd) ramp_ = kNoRamp;
}

}  // namespace weir::policy
