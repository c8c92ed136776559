// SPDX-License-Identifier: Apache-2.0
#include "model/effect.h"

#include <array>

#include <fmt/format.h>

namespace weir {
namespace {

constexpr std::array<std::string_view, 5> kEffectStates = {"claimed", "sent", "confirmed",
                                                           "failedNoEffect", "inDoubt"};

}  // namespace

std::string_view to_text(EffectState state) {
  return kEffectStates.at(static_cast<std::size_t>(state));
}

std::optional<EffectState> parse_effect_state(std::string_view text) {
  for (std::size_t i = 0; i < kEffectStates.size(); ++i) {
    if (kEffectStates[i] == text) return static_cast<EffectState>(i);
  }
  return std::nullopt;
}

std::string describe(const Effect& effect) {
  return fmt::format("{} {}{}", effect.method, effect.dependency, effect.target);
}

}  // namespace weir
