// SPDX-License-Identifier: Apache-2.0
#include "recovery/flow_removal.h"

#include <fmt/format.h>

#include "recovery/effect_outlook.h"
#include "wire/digest.h"

namespace weir::recovery {
namespace {

constexpr std::size_t kLeftPerRead = 1000;

std::string counts_text(const FlowLeftovers& left) {
  return fmt::format("{} quarantined and {} waiting deliveries", left.quarantined, left.waiting);
}

// The digest of a page takes that of the pages before it in.
std::vector<DeliveryRef> add_page(const std::vector<Delivery>& page, FlowLeftovers& into) {
  std::vector<DeliveryRef> open;
  std::string lines = into.members;
  for (const Delivery& row : page) {
    if (is_settled(row.state)) continue;
    ++(row.state == DeliveryState::quarantined ? into.quarantined : into.waiting);
    into.in_doubt = into.in_doubt || row.in_doubt;
    lines += fmt::format("{} {} {}\n", row.ref.position.pack(), to_text(row.state),
                         to_micros(row.changed_at));
    open.push_back(row.ref);
    if (into.sample.size() < kApprovalReferencesMax) into.sample.push_back(row.ref);
  }
  if (!open.empty()) into.members = wire::sha256_hex(lines);
  return open;
}

}  // namespace

async::Task<Result<FlowLeftovers>> what_is_left(ports::Store& store, const Live& live, WallTime now,
                                                FlowId flow) {
  FlowLeftovers left{.flow = flow};
  const bool asks_doubt = live.approvals && live.approvals().discard_in_doubt;
  DeliveryRef after{};
  for (;;) {
    auto page = co_await store.deliveries().list(
        {.flow = flow, .after = after, .limit = kLeftPerRead});
    if (!page.ok()) co_return page.error();
    if (page->empty()) co_return left;
    after = page->back().ref;
    std::vector<DeliveryRef> open = add_page(*page, left);
    if (!asks_doubt || left.in_doubt || open.empty()) continue;
    EffectOutlook effects;
    auto looked = co_await look_at_effects(store, live, std::move(open), now, effects);
    if (!looked.ok()) co_return looked.error();
    left.in_doubt = effects.in_doubt() > 0;
  }
}

std::string to_text(const FlowLeftovers& left) {
  return counts_text(left) + (left.members.empty() ? "" : ", members " + left.members);
}

Wish wish_to_remove(const Live& live, const std::string& name, const FlowLeftovers& left,
                    const Doer& doer) {
  const ApprovalsSpec spec = live.approvals ? live.approvals() : ApprovalsSpec{};
  const std::string act = fmt::format("flow.remove {}\n{}\n{}", left.flow.value, doer.reason,
                                      left.members);
  return {.act = {.act = ApprovalAct::remove,
                  .target = "flow " + name,
                  .hash = wire::sha256_hex(act),
                  .makers = {doer.subject}},
          .what = fmt::format("removal of flow {} with {}", name, counts_text(left)),
          .why = policy::why_settling_needs_approval(
              spec, {.deliveries = left.quarantined + left.waiting, .in_doubt = left.in_doubt}),
          .selection = {.flow = name},
          .references = first_references(live, left.sample)};
}

}  // namespace weir::recovery
