// SPDX-License-Identifier: Apache-2.0
#include "recovery/quarantine.h"

#include "base/failpoint.h"
#include "recovery/references.h"
#include "recovery/selection.h"

namespace weir::recovery {
namespace {

constexpr std::size_t kPage = 200;
constexpr std::size_t kSamples = 5;

ports::WriteBatch settle_batch(const Live& live, const Delivery& row, Settle what,
                               const std::string& reason, const std::string& actor, WallTime now) {
  Delivery next = row;
  next.state = what == Settle::resolve ? DeliveryState::resolved : DeliveryState::discarded;
  next.changed_at = now;
  next.resolution = reason;
  const std::string_view verb = what == Settle::resolve ? "resolved" : "discarded";
  next.add_history(AttemptRecord{.at = now,
                                 .failure = row.failure,
                                 .decision = DecisionKind::discard,
                                 .note = fmt::format("{} by {}: {}", verb, actor, reason)});
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.preconditions.emplace_back(ports::DeliveryIs{row.ref, DeliveryState::quarantined});
  batch.mutations.emplace_back(ports::PutDelivery{std::move(next)});
  batch.mutations.emplace_back(ports::DropKeptEvent{row.ref});
  if (row.group) batch.mutations.emplace_back(ports::LeaveGroup{row.group});
  batch.mutations.emplace_back(ports::AddAudit{
      AuditEntry{.at = now,
                 .actor = actor,
                 .action = what == Settle::resolve ? "quarantine.resolve" : "quarantine.discard",
                 .target = to_reference(live, row.ref.position),
                 .reason = reason,
                 .detail = fmt::format("flow {} class {} attempts {}", row.ref.flow.value,
                                       to_text(row.failure), row.attempts)}});
  return batch;
}

}  // namespace

async::Task<Result<BulkResult>> settle_quarantined(ports::Store& store, async::Clock& clock,
                                                   const Live& live, Settle what,
                                                   Selection selection, std::string reason,
                                                   std::string actor, bool dry_run) {
  if (reason.empty() && !dry_run) {
    co_return Error{Code::reason_required, "settling quarantined deliveries needs a reason",
                    "add --reason TEXT"};
  }
  auto resolved = co_await resolve_selection(store, live, std::move(selection));
  if (!resolved.ok()) co_return resolved.error();
  BulkResult result;
  DeliveryRef after{};
  for (;;) {
    auto page = co_await selected_page(store, *resolved, after, kPage);
    if (!page.ok()) co_return page.error();
    for (const Delivery& row : *page) {
      ++result.selected;
      if (result.samples.size() < kSamples)
        result.samples.push_back(to_reference(live, row.ref.position));
      if (dry_run) continue;
      (void)WEIR_FAILPOINT("operator.before_settle");
      auto receipt = co_await store.writer().commit(
          settle_batch(live, row, what, reason, actor, clock.wall()));
      if (!receipt.ok()) co_return receipt.error();
      (void)WEIR_FAILPOINT("operator.after_settle");
      ++(receipt->applied ? result.settled : result.skipped);
      if (receipt->applied) live.settled_elsewhere(row.ref, row.key);
    }
    if (page->size() < kPage) co_return result;
    after = page->back().ref;
  }
}

}  // namespace weir::recovery
