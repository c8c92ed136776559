// SPDX-License-Identifier: Apache-2.0
// What sealed records are bound to, and the key ranges of streams.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "model/position.h"

namespace weir::store::sqlite {

// The key of a row as bytes, for seal() and unseal().
inline std::string key_bytes(std::initializer_list<std::int64_t> numbers) {
  std::string bytes;
  for (const std::int64_t number : numbers)
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  return bytes;
}

inline std::string key_of(DeliveryRef ref) {
  return key_bytes({ref.flow.value, ref.position.pack()});
}

inline std::string revision_key(DeliveryRef ref, std::uint32_t number) {
  return key_bytes({ref.flow.value, ref.position.pack(), number});
}

inline std::int64_t pos_of(StreamId stream, std::uint64_t seq) {
  return Position{stream, 0, seq}.pack();
}
// Every position of a stream lies in [first_pos, end_pos).
inline std::int64_t first_pos(StreamId stream) { return pos_of(stream, 0); }
inline std::int64_t end_pos(StreamId stream) { return pos_of(StreamId{stream.value + 1}, 0); }

inline DeliveryRef ref_of(std::int64_t flow, std::int64_t pos) {
  return {FlowId{static_cast<std::uint32_t>(flow)}, Position::unpack(pos)};
}

}  // namespace weir::store::sqlite
