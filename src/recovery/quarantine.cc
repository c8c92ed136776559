// SPDX-License-Identifier: Apache-2.0
#include "recovery/quarantine.h"

#include <span>

#include "base/failpoint.h"
#include "recovery/references.h"
#include "recovery/selection.h"

namespace weir::recovery {
namespace {

constexpr std::size_t kChangesPerPage = 200;
constexpr std::size_t kSamples = 5;

struct Order {
  Settle what;
  std::string reason;
  std::string actor;
};

void add_settling(ports::WriteBatch& batch, const Live& live, const Delivery& row,
                  const Order& order, WallTime now) {
  const auto& [what, reason, actor] = order;
  Delivery next = row;
  next.state = what == Settle::resolve ? DeliveryState::resolved : DeliveryState::discarded;
  next.changed_at = now;
  next.resolution = reason;
  const std::string_view verb = what == Settle::resolve ? "resolved" : "discarded";
  next.add_history(AttemptRecord{.at = now,
                                 .failure = row.failure,
                                 .decision = DecisionKind::discard,
                                 .note = fmt::format("{} by {}: {}", verb, actor, reason)});
  batch.preconditions.emplace_back(
      ports::DeliveryIs{row.ref, DeliveryState::quarantined, row.changed_at});
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
}

// All of them in one commit; false if one of them changed meanwhile.
async::Task<Result<bool>> settle_rows(ports::Store& store, const Live& live,
                                      std::span<const Delivery> rows, const Order& order,
                                      WallTime now) {
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  for (const Delivery& row : rows) add_settling(batch, live, row, order, now);
  (void)WEIR_FAILPOINT("operator.before_settle");
  auto receipt = co_await store.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  (void)WEIR_FAILPOINT("operator.after_settle");
  if (!receipt->applied) co_return false;
  for (const Delivery& row : rows) live.settled_elsewhere(row.ref, row.key);
  co_return true;
}

async::Task<Result<>> settle_page(ports::Store& store, async::Clock& clock, const Live& live,
                                  std::span<const Delivery> rows, const Order& order,
                                  BulkResult& result) {
  auto all = co_await settle_rows(store, live, rows, order, clock.wall());
  if (!all.ok()) co_return all.error();
  if (*all) {
    result.settled += rows.size();
    co_return Result<>{};
  }
  for (const Delivery& row : rows) {
    auto one = co_await settle_rows(store, live, {&row, 1}, order, clock.wall());
    if (!one.ok()) co_return one.error();
    ++(*one ? result.settled : result.skipped);
  }
  co_return Result<>{};
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
  const Order order{what, std::move(reason), std::move(actor)};
  BulkResult result;
  DeliveryRef after{};
  for (;;) {
    auto page = co_await selected_page(store, *resolved, after, kChangesPerPage);
    if (!page.ok()) co_return page.error();
    result.selected += page->size();
    for (const Delivery& row : *page) {
      if (result.samples.size() < kSamples)
        result.samples.push_back(to_reference(live, row.ref.position));
    }
    if (!dry_run && !page->empty()) {
      auto settled = co_await settle_page(store, clock, live, *page, order, result);
      if (!settled.ok()) co_return settled.error();
    }
    if (page->size() < kChangesPerPage) co_return result;
    after = page->back().ref;
  }
}

}  // namespace weir::recovery
