// SPDX-License-Identifier: Apache-2.0
#include "recovery/plan_edits.h"

#include <algorithm>

#include <fmt/format.h>

#include "policy/approval.h"
#include "wire/digest.h"

namespace weir::recovery {
namespace {

constexpr std::size_t kEditsPerRead = 1000;

// When it was made says which revision it is: a number of one delivery is never given again.
async::Task<Result<>> add_revisions(ports::Store& store, DeliveryRef ref, PlanEdits& into) {
  auto revisions = co_await store.deliveries().revisions(ref);
  if (!revisions.ok()) co_return revisions.error();
  if (revisions->empty()) co_return Result<>{};
  ++into.deliveries;
  const Revision& sent = revisions->back();
  into.revisions += fmt::format("{} {} {} {}\n", ref.flow.value, ref.position.pack(), sent.number,
                                to_micros(sent.at));
  for (const Revision& one : *revisions) policy::add_maker(into.editors, one.subject);
  co_return Result<>{};
}

}  // namespace

async::Task<Result<>> add_edits(ports::Store& store, std::vector<DeliveryRef> refs,
                                PlanEdits& into) {
  for (std::size_t from = 0; from < refs.size(); from += kEditsPerRead) {
    const auto until = std::min(from + kEditsPerRead, refs.size());
    auto edited = co_await store.deliveries().newest_revisions(
        {refs.begin() + static_cast<std::ptrdiff_t>(from),
         refs.begin() + static_cast<std::ptrdiff_t>(until)});
    if (!edited.ok()) co_return edited.error();
    for (const Revision& newest : *edited) {
      auto added = co_await add_revisions(store, newest.ref, into);
      if (!added.ok()) co_return added.error();
    }
  }
  co_return Result<>{};
}

async::Task<Result<PlanEdits>> edits_of_members(ports::Store& store, ReplayId id) {
  PlanEdits edits;
  DeliveryRef after{};
  for (;;) {
    auto items = co_await store.recovery().items(id, std::nullopt, after, kEditsPerRead);
    if (!items.ok()) co_return items.error();
    if (items->empty()) co_return edits;
    std::vector<DeliveryRef> refs;
    for (const ReplayItem& item : *items) refs.push_back(item.ref);
    after = refs.back();
    auto added = co_await add_edits(store, std::move(refs), edits);
    if (!added.ok()) co_return added.error();
  }
}

void note_edits(ReplayPlan& plan, const PlanEdits& edits) {
  plan.edited = edits.deliveries;
  plan.revisions = edits.deliveries == 0 ? "" : wire::sha256_hex(edits.revisions);
  for (const std::string& editor : edits.editors) policy::add_maker(plan.makers, editor);
}

}  // namespace weir::recovery
