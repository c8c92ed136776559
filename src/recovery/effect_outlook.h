// SPDX-License-Identifier: Apache-2.0
// What the effects of deliveries would do if their handlers were called again.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "model/effect.h"
#include "ports/store.h"
#include "recovery/live.h"

namespace weir::recovery {

enum class NextCall : std::uint8_t {
  sent,      // it certainly did not happen: it would be sent
  answered,  // it happened: it would be answered from the ledger
  repeated,  // in doubt: it would be sent again under its key
  asked,     // in doubt: the dependency is asked first
  held,      // in doubt: a person must say
};
std::string_view to_text(NextCall next);

NextCall next_call_of(const Effect& effect, const Live& live, WallTime now);

struct EffectOutlook {
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  std::uint64_t repeated = 0;
  std::uint64_t asked = 0;
  std::uint64_t held = 0;
  std::uint64_t in_doubt() const { return repeated + asked + held; }
  std::uint64_t known() const { return sent + answered + in_doubt(); }
};

// Of any number of deliveries; adds to `into`.
async::Task<Result<>> look_at_effects(ports::Store& store, const Live& live,
                                      std::vector<DeliveryRef> refs, WallTime now,
                                      EffectOutlook& into);

// Of the members of a replay that are not sent yet: whether a delivery or one of its effects is in
// doubt. nullopt: the store cannot say.
async::Task<std::optional<bool>> any_in_doubt(ports::Store& store, const Live& live, WallTime now,
                                              ReplayId id);

}  // namespace weir::recovery
