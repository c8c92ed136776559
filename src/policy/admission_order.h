// SPDX-License-Identifier: Apache-2.0
// Whose turn it is at a dependency: live first attempts, due retries or replays. Smooth weighted
// round robin over the kinds that have something ready (nginx's algorithm): work-conserving, live
// first, and nobody starves: a kind with weight w of a total W is served at least once in any 2 *
// ceil(W / w) turns in which it was always ready.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "policy/work.h"

namespace weir::policy {

class AdmissionOrder {
 public:
  using Weights = std::array<std::int32_t, kWorkCount>;  // by Work, each 1 .. 1000
  using Ready = std::array<bool, kWorkCount>;            // by Work

  explicit AdmissionOrder(const Weights& weights = {8, 3, 1});

  // Who is next; nullopt = nobody is ready. Changes nothing: if the guardrails refuse this kind,
  // ask again without it.
  std::optional<Work> next(const Ready& ready) const;
  // One call of this kind was admitted, while `ready` were ready.
  void served(Work work, const Ready& ready);

 private:
  Weights weights_;
  Weights credit_{};
};

}  // namespace weir::policy
