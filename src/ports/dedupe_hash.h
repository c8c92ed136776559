// SPDX-License-Identifier: Apache-2.0
// The hash under which an event's identity is looked up. Part of the stored format: it never
// changes.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::ports {

// SipHash-1-3 (Aumasson and Bernstein) of source, a zero byte, and id, under a fixed key. A
// collision costs one comparison of events, never an event.
std::uint64_t dedupe_hash(std::string_view source, std::string_view id);

}  // namespace weir::ports
