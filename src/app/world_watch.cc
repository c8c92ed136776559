// SPDX-License-Identifier: Apache-2.0
// What is looked at every two seconds: counts, alarms, what changed by itself, certificates.
#include <fmt/format.h>

#include "app/world.h"

namespace weir::app {
namespace {

constexpr Duration kCountsEvery = std::chrono::seconds{2};
constexpr Duration kTripsEvery = std::chrono::minutes{1};  // per breaker, in the audit trail
constexpr Duration kGuessesEvery = std::chrono::minutes{1};
constexpr Duration kQuarantineEvery = std::chrono::seconds{4};

}  // namespace

async::Task<> World::keep_counts() {
  while (!stopping_) {
    auto counts = co_await store_->flows().counts();
    if (counts.ok()) counts_ = std::move(*counts);
    auto in_doubt = co_await store_->effects().in_doubt();
    if (in_doubt.ok()) in_doubt_ = std::move(*in_doubt);
    co_await engine_->look_at_ages(counts_);
    if (clock_.mono() >= next_look_) {
      next_look_ = clock_.mono() + kQuarantineEvery;
      (void)co_await quarantine_watch_.look(*store_, live_, engine_->config().quarantine,
                                            clock_.wall());
    }
    co_await tell_changes();
    co_await audit_seal_.look(false);
    tell_guesses();
    co_await renew_certificate();
    co_await close_unused_pools();
    decision_log_.flush(false);
    if (!stopping_) co_await clock_.sleep_until(clock_.mono() + kCountsEvery);
  }
}

void World::tell_guesses() {
  const std::uint64_t now = gate_->counts().limited;
  if (now == guesses_told_ || clock_.mono() < next_guesses_) return;
  next_guesses_ = clock_.mono() + kGuessesEvery;
  log_.write(clock_.wall(), telemetry::Level::warning, "access.limited",
             fmt::format("{} wrong tokens above the limit since it was last told",
                         now - std::exchange(guesses_told_, now)));
}

// Whoever renews certificates only puts the files there. Those that cannot be used change nothing.
// The trail says first who may come in from now on: without that nothing changes, and it is tried
// again.
async::Task<> World::renew_certificate() {
  if (!listener_tls_.files_changed()) co_return;
  auto loaded = listener_tls_.load(listener_tls_.spec(), clock_.wall());
  if (!loaded.ok()) {
    log_.error(clock_.wall(), "tls.refused", loaded.error());
    co_return;
  }
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::AddAudit{AuditEntry{.at = clock_.wall(),
                                                          .actor = "weir",
                                                          .action = "tls.reload",
                                                          .target = "listener",
                                                          .reason = "its files changed",
                                                          .detail = listener_tls_.digests()}});
  auto told = co_await store_->writer().commit(std::move(batch));
  if (!told.ok()) {
    listener_tls_.look_again();
    co_return;
  }
  server_->use_tls(*std::move(loaded));
  log_.write(clock_.wall(), telemetry::Level::info, "tls.reloaded",
             fmt::format("new connections get the certificate that expires {}",
                         to_rfc3339(listener_tls_.expires())));
}

// What people look for after a failure: the trail has what stopped by itself in memory, too, right
// after it did.
async::Task<> World::audit_trips(std::vector<AuditEntry> trips) {
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  for (AuditEntry& trip : trips) {
    Told& told = trip_told_[trip.action + " " + trip.target];
    if (told.once && clock_.mono() - told.at < kTripsEvery) {
      ++told.left_out;
      continue;
    }
    if (told.left_out > 0)
      trip.detail = fmt::format("and {} times more since the last entry", told.left_out);
    told = {.at = clock_.mono(), .once = true};
    batch.mutations.emplace_back(ports::AddAudit{std::move(trip)});
  }
  if (batch.mutations.empty()) co_return;
  auto receipt = co_await store_->writer().commit(std::move(batch));
  if (!receipt.ok()) log_.error(clock_.wall(), "audit.incomplete", receipt.error());
}

async::Task<> World::tell_changes() {
  std::vector<AuditEntry> trips;
  for (delivery::Dispatcher* one : engine_->dispatchers()) {
    const MonoTime now = clock_.mono();
    for (policy::PathBreaker& of_path : one->guardrails().breakers()) {
      (void)of_path.breaker.state(now);  // time alone may have changed it
      while (const auto transition = of_path.breaker.take_transition()) {
        const WallTime at = clock_.wall() - (now - transition->at);
        log_transition(log_, at, one->spec().name, of_path.path, *transition);
        const bool opened = transition->from == policy::Breaker::State::closed &&
                            transition->to == policy::Breaker::State::open && !transition->by_hand;
        if (opened)
          trips.push_back(
              AuditEntry{.at = at,
                         .actor = "weir",
                         .action = "breaker.trip",
                         .target = one->spec().name + of_path.path,
                         .reason = fmt::format("{:.0f} % of {} calls failed",
                                               transition->failure_percent, transition->calls)});
      }
    }
  }
  const ports::StoreStatus status = co_await store_->info();
  if (std::exchange(store_full_, status.full) != status.full) {
    trips.push_back(AuditEntry{
        .at = clock_.wall(),
        .actor = "weir",
        .action = status.full ? "store.full" : "store.room",
        .target = "ingest",
        .reason = status.full ? "no space left: ingest is refused" : "there is space again"});
    log_.write(clock_.wall(), status.full ? telemetry::Level::error : telemetry::Level::info,
               status.full ? "store.full" : "store.room",
               status.full ? "no space left: ingest is refused, deliveries go on"
                           : "there is space again: ingest goes on");
  }
  co_await audit_trips(std::move(trips));
  co_await audit_tail_.tell();
}

}  // namespace weir::app
