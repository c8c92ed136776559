// SPDX-License-Identifier: Apache-2.0
// An event's place in a stream, and the name of one delivery.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include "base/ids.h"

namespace weir {

// stream#seq. The partition stands in every key from the first format on; today it is always 0.
struct Position {
  StreamId stream;  // 1 .. 32767
  std::uint8_t partition = 0;
  std::uint64_t seq = 0;  // 1 .. 2^40 - 1, in commit order, never reused

  auto operator<=>(const Position&) const = default;

  // One integer key that sorts by stream, partition, seq: 15 + 8 + 40 bits.
  std::int64_t pack() const {
    return static_cast<std::int64_t>((static_cast<std::uint64_t>(stream.value) << 48) |
                                     (static_cast<std::uint64_t>(partition) << 40) | seq);
  }
  static Position unpack(std::int64_t key) {
    const auto bits = static_cast<std::uint64_t>(key);
    return {StreamId{static_cast<std::uint32_t>(bits >> 48)}, static_cast<std::uint8_t>(bits >> 40),
            bits & ((1ull << 40) - 1)};
  }
};

inline constexpr std::uint64_t kSeqMax = (1ull << 40) - 1;
inline constexpr std::uint32_t kStreamIdMax = 32767;

// One event in one flow: the unit of state, of quarantine and of replay.
struct DeliveryRef {
  FlowId flow;
  Position position;
  auto operator<=>(const DeliveryRef&) const = default;
};

// A half-open range [first, last) of sequence numbers.
struct SeqRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  auto operator<=>(const SeqRange&) const = default;
};

}  // namespace weir

template <>
struct std::hash<weir::Position> {
  std::size_t operator()(weir::Position position) const noexcept {
    return static_cast<std::size_t>(position.pack()) * 0x9E3779B97F4A7C15ull;
  }
};
