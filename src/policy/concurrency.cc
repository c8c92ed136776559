// SPDX-License-Identifier: Apache-2.0
#include "policy/concurrency.h"

#include <algorithm>

#include "base/assert.h"

namespace weir::policy {
namespace {

constexpr double kCapacityShare = 0.8;

}  // namespace

std::uint32_t concurrency_for(double capacity_per_second, Duration longest_attempt) {
  const double longest = std::chrono::duration<double>(longest_attempt).count();
  const double most = std::min(kCapacityShare * capacity_per_second * longest, 1e6);
  return most > 0 ? static_cast<std::uint32_t>(std::max(most, 1.0)) : 0;
}

Concurrency::Concurrency(const ConcurrencySpec& spec)
    : cap_(std::max(spec.max_parallel_requests, 1u)), shadow_(spec.mode == Mode::shadow) {
  if (spec.adaptive.enabled) adaptive_.emplace(spec.adaptive, most());
}

void Concurrency::update(const ConcurrencySpec& spec) {
  cap_ = std::max(spec.max_parallel_requests, 1u);
  shadow_ = spec.mode == Mode::shadow;
  if (!spec.adaptive.enabled) {
    adaptive_.reset();
  } else if (adaptive_) {
    adaptive_->update(spec.adaptive, most());
  } else {
    adaptive_.emplace(spec.adaptive, most());
  }
}

void Concurrency::bound(std::uint32_t most) {
  if (most == bound_) return;
  bound_ = most;
  if (adaptive_) adaptive_->update(adaptive_->spec(), this->most());
}

std::uint32_t Concurrency::most() const { return bound_ == 0 ? cap_ : std::min(cap_, bound_); }

std::uint32_t Concurrency::limit() const {
  return adaptive_ && !shadow_ ? adaptive_->limit() : cap_;
}

bool Concurrency::admits(std::uint32_t at_most) const {
  return in_flight_ < std::min(limit(), at_most);
}

bool Concurrency::would_refuse() const {
  return adaptive_ && shadow_ && in_flight_ >= adaptive_->limit();
}

bool Concurrency::acquire(MonoTime now, std::uint32_t at_most) {
  if (!admits(at_most)) return false;
  ++in_flight_;
  if (adaptive_) adaptive_->started(in_flight_, now);
  return true;
}

void Concurrency::release(AdaptiveLimit::End end, Duration latency, MonoTime now) {
  WEIR_ASSERT(in_flight_ > 0);
  if (adaptive_) adaptive_->ended(end, latency, in_flight_, now);
  --in_flight_;
}

}  // namespace weir::policy
