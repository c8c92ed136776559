// SPDX-License-Identifier: Apache-2.0
#include "recovery/quarantine.h"

#include <set>
#include <span>

#include "base/failpoint.h"
#include "base/seeded_bug.h"
#include "recovery/approvals.h"
#include "recovery/effect_outlook.h"
#include "recovery/hidden_question.h"
#include "recovery/references.h"
#include "recovery/selection.h"
#include "recovery/shown.h"
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

// What is selected now, and nothing that comes later.
struct Frozen {
  std::set<std::pair<DeliveryRef, WallTime>> rows;
  std::vector<DeliveryRef> refs;
  std::string members;  // a line for each
  bool in_doubt = false;
};

async::Task<Result<Frozen>> freeze(ports::Store& store, const Live& live, WallTime now,
                                   Selection selection) {
  auto resolved = co_await resolve_selection(store, live, std::move(selection));
  if (!resolved.ok()) co_return resolved.error();
  Frozen frozen;
  auto walked = co_await for_each_selected(store, *resolved, [&](const Delivery& row) {
    if (!frozen.rows.emplace(row.ref, row.changed_at).second) return true;
    frozen.refs.push_back(row.ref);
    frozen.members += fmt::format("{} {} {}\n", row.ref.flow.value, row.ref.position.pack(),
                                  to_micros(row.changed_at));
    frozen.in_doubt = frozen.in_doubt || row.in_doubt;
    return frozen.refs.size() <= kApprovedMax;
  });
  if (!walked.ok()) co_return walked.error();
  if (frozen.refs.size() > kApprovedMax) {
    co_return Error{Code::invalid_argument,
                    fmt::format("more than {} deliveries are selected", kApprovedMax),
                    "that many are approved at once: select less"};
  }
  if (frozen.in_doubt || !live.approvals().discard_in_doubt) co_return frozen;
  EffectOutlook effects;
  auto looked = co_await look_at_effects(store, live, frozen.refs, now, effects);
  if (!looked.ok()) co_return looked.error();
  frozen.in_doubt = effects.in_doubt() > 0;
  co_return frozen;
}

Wish wish_to_settle(const Live& live, const Order& order, const Doer& doer, const Frozen& frozen,
                    Selection selection) {
  const bool discards = order.what == Settle::discard;
  const std::string act = fmt::format("{}\n{}\n{}", verb_of(order.what).action, order.reason,
                                      frozen.members);
  const std::size_t count = frozen.refs.size();
  Wish wish{.act = {.act = discards ? ApprovalAct::discard : ApprovalAct::resolve,
                    .target = "quarantine",
                    .hash = wire::sha256_hex(act),
                    .makers = {doer.subject}},
            .what = fmt::format("{} of {} deliveries", discards ? "discard" : "resolve", count),
            .why = policy::why_settling_needs_approval(
                live.approvals(), {.deliveries = count, .in_doubt = frozen.in_doubt}),
            .selection = shown_selection(live, std::move(selection)),
            .references = first_references(live, frozen.refs)};
  wish.selection.ids.clear();  // the references name them
  return wish;
}

// With somebody's yes to it, if it needs one.
async::Task<Result<>> agree(ports::Store& store, async::Clock& clock, const Live& live,
                            Selection selection, Order& order, Doer doer) {
  auto frozen = co_await freeze(store, live, clock.wall(), selection);
  if (!frozen.ok()) co_return frozen.error();
  Wish wish = wish_to_settle(live, order, doer, *frozen, std::move(selection));
  const ports::StoreStatus info = co_await store.info();
  if (!info.master_key.empty()) wish.selection.forget_values();  // approvals are not encrypted
  Approvals approvals(store, live);
  auto agreed = co_await approvals.consent(std::move(wish), std::move(doer), clock.wall());
  if (!agreed.ok()) co_return agreed.error();
  order.frozen = std::move(frozen->rows);
  order.consent = *std::move(agreed);
  co_return Result<>{};
}

bool needs_a_look(const Live& live) {
  return live.approvals &&
         (live.approvals().discard_deliveries || live.approvals().discard_in_doubt);
}

}  // namespace

async::Task<Result<BulkResult>> settle_quarantined(ports::Store& store, async::Clock& clock,
                                                   const Live& live, Settle what,
                                                   Selection selection, Doer doer, bool dry_run) {
  if (doer.reason.empty() && !dry_run) {
    co_return Error{Code::reason_required, "settling quarantined deliveries needs a reason",
                    "add --reason TEXT"};
  }
  Order order{.what = what, .reason = doer.reason, .actor = doer.actor};
  // What is settled leaves entries, and what matches nothing would leave none.
  auto noted = co_await note_question(
      store, clock, live, selection,
      {.by = verb_of(what).action, .actor = doer.actor, .reason = doer.reason});
  if (!noted.ok()) co_return noted.error();
  if (needs_a_look(live) && settles(what) && !dry_run) {
    auto agreed = co_await agree(store, clock, live, selection, order, std::move(doer));
    if (!agreed.ok()) co_return agreed.error();
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
