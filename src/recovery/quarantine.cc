// SPDX-License-Identifier: Apache-2.0
#include "recovery/quarantine.h"

#include <set>
#include <span>

#include "base/failpoint.h"
#include "base/seeded_bug.h"
#include "recovery/approvals.h"
#include "recovery/references.h"
#include "recovery/selection.h"
#include "wire/digest.h"

namespace weir::recovery {
namespace {

constexpr std::size_t kChangesPerPage = 200;
constexpr std::size_t kSamples = 5;

struct Order {
  Settle what;
  WallTime archived_before{};  // only what was; epoch zero = whatever
  std::string reason;
  std::string actor;
  // The very rows that may be settled; without it whatever is selected.
  std::optional<std::set<std::pair<DeliveryRef, WallTime>>> frozen;
  ports::Consent consent;  // goes with the first commit
};

struct Verb {
  std::string_view action;
  std::string_view done;
};

Verb verb_of(Settle what) {
  switch (what) {
    case Settle::resolve: return {"quarantine.resolve", "resolved"};
    case Settle::discard: return {"quarantine.discard", "discarded"};
    case Settle::archive: return {"quarantine.archive", "archived"};
    case Settle::restore: return {"quarantine.restore", "restored"};
  }
  return {};
}

bool settles(Settle what) { return what == Settle::resolve || what == Settle::discard; }

bool applies(const Order& order, const Delivery& row) {
  if (order.frozen && !order.frozen->contains({row.ref, row.changed_at})) return false;
  if (order.archived_before != WallTime{}) {  // its last line says when that was
    return row.archived && !row.history.empty() && row.history.back().at < order.archived_before;
  }
  return settles(order.what) || row.archived == (order.what == Settle::restore);
}

Delivery changed(const Delivery& row, const Order& order, WallTime now) {
  Delivery next = row;
  if (settles(order.what)) {
    next.state = order.what == Settle::resolve ? DeliveryState::resolved : DeliveryState::discarded;
    next.changed_at = now;
    next.resolution = order.reason;
  } else {
    next.archived = order.what == Settle::archive;
    // When it entered quarantine stays true, and whoever has read the row before sees that it is
    // another one.
    next.changed_at = row.changed_at + Duration{1};
  }
  next.add_history(AttemptRecord{
      .at = now,
      .failure = row.failure,
      .decision = settles(order.what) ? DecisionKind::discard : DecisionKind::defer,
      .note = fmt::format("{} by {}: {}", verb_of(order.what).done, order.actor, order.reason)});
  return next;
}

void add_settling(ports::WriteBatch& batch, const Live& live, const Delivery& row,
                  const Order& order, WallTime now) {
  batch.preconditions.emplace_back(
      ports::DeliveryIs{row.ref, DeliveryState::quarantined, row.changed_at});
  batch.mutations.emplace_back(ports::PutDelivery{changed(row, order, now)});
  if (settles(order.what)) {
    batch.mutations.emplace_back(ports::DropKeptEvent{row.ref});
    if (row.group) batch.mutations.emplace_back(ports::LeaveGroup{row.group});
  }
  if (WEIR_SEEDED_BUG("quarantine.settled_unaudited")) return;
  batch.mutations.emplace_back(ports::AddAudit{
      AuditEntry{.at = now,
                 .actor = order.actor,
                 .action = std::string(verb_of(order.what).action),
                 .target = to_reference(live, row.ref.position),
                 .reason = order.reason,
                 .detail = fmt::format("flow {} class {} attempts {}", row.ref.flow.value,
                                       to_text(row.failure), row.attempts)}});
}

// All of them in one commit; false if one of them changed meanwhile.
async::Task<Result<bool>> settle_rows(ports::Store& store, const Live& live,
                                      std::span<const Delivery> rows, Order& order, WallTime now) {
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  ports::add_to(batch, order.consent);
  for (const Delivery& row : rows) add_settling(batch, live, row, order, now);
  (void)WEIR_FAILPOINT("operator.before_settle");
  auto receipt = co_await store.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  (void)WEIR_FAILPOINT("operator.after_settle");
  if (!receipt->applied) co_return false;
  order.consent = {};
  if (!settles(order.what)) co_return true;
  for (const Delivery& row : rows) live.settled_elsewhere(row.ref, row.key);
  co_return true;
}

async::Task<Result<>> settle_page(ports::Store& store, async::Clock& clock, const Live& live,
                                  std::span<const Delivery> rows, Order& order,
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

async::Task<Result<BulkResult>> settle_selected(ports::Store& store, async::Clock& clock,
                                                const Live& live, Selection selection, Order order,
                                                bool dry_run) {
  auto resolved = co_await resolve_selection(store, live, std::move(selection));
  if (!resolved.ok()) co_return resolved.error();
  BulkResult result;
  DeliveryRef after{};
  for (;;) {
    auto page = co_await selected_page(store, *resolved, after, kChangesPerPage);
    if (!page.ok()) co_return page.error();
    const bool last = page->size() < kChangesPerPage;
    if (!page->empty()) after = page->back().ref;
    std::erase_if(*page, [&](const Delivery& row) { return !applies(order, row); });
    result.selected += page->size();
    for (const Delivery& row : *page) {
      if (result.samples.size() < kSamples)
        result.samples.push_back(to_reference(live, row.ref.position));
    }
    if (!dry_run && !page->empty()) {
      auto settled = co_await settle_page(store, clock, live, *page, order, result);
      if (!settled.ok()) co_return settled.error();
    }
    if (last) break;
  }
  if (order.consent.empty() || result.selected == 0) co_return result;
  co_return Error{Code::conflict, "the approval was used, or all of them changed, in between",
                  "weir approval list"};
}

// Takes what is selected now, and nothing that comes later, and somebody's yes to it if it is much.
async::Task<Result<>> freeze(ports::Store& store, async::Clock& clock, const Live& live,
                             Selection selection, Order& order, bool break_glass) {
  auto resolved = co_await resolve_selection(store, live, std::move(selection));
  if (!resolved.ok()) co_return resolved.error();
  std::set<std::pair<DeliveryRef, WallTime>> frozen;
  std::string members = fmt::format("{}\n{}\n", verb_of(order.what).action, order.reason);
  auto walked = co_await for_each_selected(store, *resolved, [&](const Delivery& row) {
    if (!frozen.emplace(row.ref, row.changed_at).second) return true;
    members += fmt::format("{} {} {}\n", row.ref.flow.value, row.ref.position.pack(),
                           to_micros(row.changed_at));
    return frozen.size() <= kApprovedMax;
  });
  if (!walked.ok()) co_return walked.error();
  const std::size_t count = frozen.size();
  if (count > kApprovedMax) {
    co_return Error{Code::invalid_argument,
                    fmt::format("more than {} deliveries are selected", kApprovedMax),
                    "that many are approved at once: select less"};
  }
  order.frozen = std::move(frozen);
  const bool discards = order.what == Settle::discard;
  Wish wish{.act = {.act = discards ? ApprovalAct::discard : ApprovalAct::resolve,
                    .target = "quarantine",
                    .hash = wire::sha256_hex(members).substr(0, 16),
                    .makers = {policy::subject_of(order.actor)}},
            .what = fmt::format("{} of {} deliveries", discards ? "discard" : "resolve", count),
            .why = policy::why_settling_needs_approval(live.approvals(), count)};
  Approvals approvals(store, live);
  auto agreed = co_await approvals.consent(
      std::move(wish), {.actor = order.actor, .reason = order.reason, .break_glass = break_glass},
      clock.wall());
  if (!agreed.ok()) co_return agreed.error();
  order.consent = *std::move(agreed);
  co_return Result<>{};
}

}  // namespace

async::Task<Result<BulkResult>> settle_quarantined(ports::Store& store, async::Clock& clock,
                                                   const Live& live, Settle what,
                                                   Selection selection, std::string reason,
                                                   std::string actor, bool dry_run,
                                                   bool break_glass) {
  if (reason.empty() && !dry_run) {
    co_return Error{Code::reason_required, "settling quarantined deliveries needs a reason",
                    "add --reason TEXT"};
  }
  Order order{.what = what, .reason = std::move(reason), .actor = std::move(actor)};
  const bool limited = live.approvals && live.approvals().discard_deliveries;
  if (limited && settles(what) && !dry_run) {
    auto frozen = co_await freeze(store, clock, live, selection, order, break_glass);
    if (!frozen.ok()) co_return frozen.error();
  }
  co_return co_await settle_selected(store, clock, live, std::move(selection), std::move(order),
                                     dry_run);
}

async::Task<Result<BulkResult>> discard_archived(ports::Store& store, async::Clock& clock,
                                                 const Live& live, Duration keep) {
  co_return co_await settle_selected(
      store, clock, live, Selection{.mark = Mark::archived},
      Order{.what = Settle::discard,
            .archived_before = clock.wall() - keep,
            .reason = fmt::format("archived for more than {}", weir::to_text(keep)),
            .actor = "weir"},
      false);
}

}  // namespace weir::recovery
