// SPDX-License-Identifier: Apache-2.0
// What must hold of every call, whenever it comes.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "sim_config.h"
#include "world.h"

namespace weir::engine_sim {
namespace {

constexpr Duration kProbesTake = std::chrono::seconds{1};  // at most, until the breaker has closed

std::string name_of(const Call& call) {
  return fmt::format("{} e{} r{}", call.flow, call.event, call.replay);
}

Release release_of(const Call& call) { return {call.flow, call.event, call.replay}; }

bool may_have_been_seen(const Call& call) { return !call.ended || call.unknown; }

}  // namespace

void World::check_call(const Call& call, const ports::Invocation& invocation) {
  check_identity(call, invocation);
  check_beside(call);
  check_again(call);
  check_orders(call);
  check_rate(call);
}

void World::check_identity(const Call& call, const ports::Invocation& invocation) {
  const std::string who = name_of(call);
  const OneOf one{call.flow, call.event};
  const bool published = journal_.pending.contains(call.event) ||
                         journal_.stored.contains(call.event);
  if (!published) journal_.fail(who + " was called and nobody published it");
  if (invocation.event.data != data_of(call.event)) journal_.fail(who + " came with other data");
  const auto [known, is_new] = journal_.keys.emplace(one, invocation.idempotency_key);
  if (!is_new && known->second != invocation.idempotency_key)
    journal_.fail(who + " came under another idempotency key");
  if (journal_.over.contains(release_of(call)))
    journal_.fail(who + " was called again after its release was settled");
  if (journal_.over_here.contains(one) && call.replay == 0)
    journal_.fail(who + " was called again after it was done");
  if (journal_.closed.contains(one))
    journal_.fail(who + " was called after it was settled by hand");
}

// What runs at the same time.
void World::check_beside(const Call& call) {
  const std::string who = name_of(call);
  std::uint32_t running = 1;
  std::uint32_t of_replay = 1;
  for (const Call& other : journal_.calls) {
    if (other.life != call.life || !other.running) continue;
    ++running;
    of_replay += other.replay == call.replay;
    const bool same = other.flow == call.flow && other.event == call.event;
    const bool same_key = call.flow == "orders" && other.flow == "orders" &&
                          key_of(other.event) == key_of(call.event);
    if (same || same_key)
      journal_.fail(fmt::format("{} was called while e{} was running", who, other.event));
  }
  const std::uint32_t cap = call.at < former_until_ ? std::max(cap_, former_cap_) : cap_;
  if (running > cap) journal_.fail(fmt::format("{}: {} calls at once of {}", who, running, cap));
  const auto replay = journal_.replays.find(call.replay);
  if (replay != journal_.replays.end() && of_replay > replay->second.concurrency)
    journal_.fail(fmt::format("{}: {} calls at once of its replay's {}", who, of_replay,
                              replay->second.concurrency));
}

// What came before it in the same release. A crash costs one attempt that nobody counted.
void World::check_again(const Call& call) {
  const std::string who = name_of(call);
  const delivery::Flow* flow = process_->engine().find_flow(call.flow);
  const bool idempotent = flow == nullptr || flow->spec().idempotent;
  std::uint32_t here = 1;
  std::uint32_t ever = 1;
  std::set<std::uint32_t> lives;
  for (const Call& other : journal_.calls) {
    if (release_of(other) != release_of(call) || !other.counts) continue;
    ++ever;
    here += other.life == call.life;
    if (other.life != call.life) lives.insert(other.life);
    if (!idempotent && may_have_been_seen(other))
      journal_.fail(who +
                    " is not idempotent, and came again after a call that may have been seen");
  }
  if (here > kMaxAttempts) journal_.fail(fmt::format("{}: attempt {}", who, here));
  if (ever > kMaxAttempts + lives.size())
    journal_.fail(fmt::format("{}: call {} in {} lives", who, ever, lives.size() + 1));
}

// What people said, and what the delivery itself waits for.
void World::check_orders(const Call& call) {
  const auto paused = journal_.paused.find(call.flow);
  if (paused != journal_.paused.end() && call.at > paused->second + kDurableAfter)
    journal_.fail(name_of(call) + " was called while its flow was paused");
  if (journal_.breaker_opened && call.at > *journal_.breaker_opened + kAdmittedBefore)
    journal_.fail(name_of(call) + " was called while the breaker was held open");
  const auto due = journal_.due.find(release_of(call));
  if (due == journal_.due.end()) return;
  // A clock that jumps makes it due at once, or is made up for.
  const bool early = process_->clock().wall() < due->second;
  if (early && !has(plan_.faults, Fault::clockJump))
    journal_.fail(fmt::format("{} was called {} before it was due", name_of(call),
                              weir::to_text(due->second - process_->clock().wall())));
  journal_.due.erase(due);
}

// A token bucket of its own; what was admitted waits for a commit before it is sent.
void World::check_rate(const Call& call) {
  if (!rate_.enabled) return;
  const double most = rate_.burst + 1 +
                      rate_.per_second * std::chrono::duration<double>(kAdmittedBefore).count();
  const std::chrono::duration<double> passed = call.at - tokens_at_;
  tokens_ = std::min(most, tokens_ + passed.count() * rate_.per_second) - 1;
  tokens_at_ = call.at;
  if (tokens_ < 0) journal_.fail(name_of(call) + ": above the rate limit");
}

void World::check_budget() {
  const std::string above = above_bound(retries_, journal_.calls);
  if (!above.empty()) journal_.fail(name_of(journal_.calls.back()) + ": " + above);
}

// As policy/work.h has it. While the breaker is half open retries are probes, which are free.
Call::Work World::work_of(const Call& call) {
  policy::Guardrails& guardrails = process_->engine().find_dispatcher("d")->guardrails();
  if (guardrails.worst_breaker(call.at).state(call.at) == policy::Breaker::State::halfOpen)
    probing_until_ = call.at + kProbesTake;
  const bool again = std::ranges::any_of(journal_.calls, [&](const Call& other) {
    return other.life == call.life && other.counts && release_of(other) == release_of(call);
  });
  if (!again) return call.replay == 0 ? Call::Work::first : Call::Work::other;
  return call.at < probing_until_ ? Call::Work::other : Call::Work::charged;
}

}  // namespace weir::engine_sim
