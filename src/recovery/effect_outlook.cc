// SPDX-License-Identifier: Apache-2.0
#include "recovery/effect_outlook.h"

#include <algorithm>

#include "policy/effect_ledger.h"

namespace weir::recovery {
namespace {

constexpr std::size_t kEffectsOfAtOnce = 1000;

std::uint64_t& counter_of(EffectOutlook& outlook, NextCall next) {
  switch (next) {
    case NextCall::sent: return outlook.sent;
    case NextCall::answered: return outlook.answered;
    case NextCall::repeated: return outlook.repeated;
    case NextCall::asked: return outlook.asked;
    case NextCall::held: break;
  }
  return outlook.held;
}

}  // namespace

std::string_view to_text(NextCall next) {
  switch (next) {
    case NextCall::sent: return "would be sent";
    case NextCall::answered: return "would be answered from the ledger";
    case NextCall::repeated: return "would be sent again under the same key";
    case NextCall::asked: return "would go only after the dependency was asked";
    case NextCall::held: break;
  }
  return "would be refused until somebody says what happened";
}

NextCall next_call_of(const Effect& effect, const Live& live, WallTime now) {
  const auto dependency = live.dependency(effect.dependency);
  const IdempotencySpec rules = dependency ? dependency->idempotency : IdempotencySpec{};
  switch (policy::judge(effect, effect.fingerprint, rules, now).ruling) {
    case policy::Ruling::send: return NextCall::sent;
    case policy::Ruling::answer: return NextCall::answered;
    case policy::Ruling::repeat: return NextCall::repeated;
    case policy::Ruling::ask: return NextCall::asked;
    case policy::Ruling::hold:
    case policy::Ruling::otherBody: break;
  }
  return NextCall::held;
}

async::Task<Result<>> look_at_effects(ports::Store& store, const Live& live,
                                      std::vector<DeliveryRef> refs, WallTime now,
                                      EffectOutlook& into) {
  for (std::size_t from = 0; from < refs.size(); from += kEffectsOfAtOnce) {
    const auto until = std::min(from + kEffectsOfAtOnce, refs.size());
    auto effects = co_await store.effects().of({refs.begin() + static_cast<std::ptrdiff_t>(from),
                                                refs.begin() + static_cast<std::ptrdiff_t>(until)});
    if (!effects.ok()) co_return effects.error();
    for (const Effect& effect : *effects) ++counter_of(into, next_call_of(effect, live, now));
  }
  co_return Result<>{};
}

async::Task<std::optional<bool>> any_in_doubt(ports::Store& store, const Live& live, WallTime now,
                                              ReplayId id) {
  constexpr std::size_t kMembersPerRead = 1000;
  DeliveryRef after{};
  for (;;) {
    auto items = co_await store.recovery().items(id, ItemState::planned, after, kMembersPerRead);
    if (!items.ok()) co_return std::nullopt;
    std::vector<DeliveryRef> refs;
    for (const ReplayItem& item : *items) refs.push_back(item.ref);
    if (refs.empty()) co_return false;
    auto rows = co_await store.deliveries().get_many(refs);
    if (!rows.ok()) co_return std::nullopt;
    if (std::ranges::any_of(*rows, &Delivery::in_doubt)) co_return true;
    EffectOutlook effects;
    auto looked = co_await look_at_effects(store, live, refs, now, effects);
    if (!looked.ok()) co_return std::nullopt;
    if (effects.in_doubt() > 0) co_return true;
    after = refs.back();
  }
}

}  // namespace weir::recovery
