// SPDX-License-Identifier: Apache-2.0
// Numbers that cannot be mixed up.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace weir {

template <class Tag, class Number = std::uint32_t>
struct StrongId {
  Number value = 0;  // 0 means "none"
  auto operator<=>(const StrongId&) const = default;
  explicit operator bool() const { return value != 0; }
};

using StreamId = StrongId<struct StreamTag>;
using FlowId = StrongId<struct FlowTag>;
using DependencyId = StrongId<struct DependencyTag>;
using GroupId = StrongId<struct GroupTag>;
using ReplayId = StrongId<struct ReplayTag>;
using EffectId = StrongId<struct EffectTag, std::uint64_t>;

}  // namespace weir

template <class Tag, class Number>
struct std::hash<weir::StrongId<Tag, Number>> {
  std::size_t operator()(weir::StrongId<Tag, Number> id) const noexcept {
    return id.value * 0x9E3779B97F4A7C15ull;
  }
};
