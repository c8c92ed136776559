// SPDX-License-Identifier: Apache-2.0
// The event that every benchmark uses: 512 bytes as a structured CloudEvent in JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::bench {

inline constexpr std::size_t kEventBytes = 512;

// `text` with one id; the digits of the id stand at `id_at` and may be written over in place.
struct SampleEvent {
  static constexpr std::size_t kIdDigits = 16;
  std::string text;
  std::size_t id_at = 0;
};
SampleEvent sample_event();

// Sixteen hexadecimal digits.
void write_id(char* at, std::uint64_t id);

// A POST with keep-alive, complete up to the body.
std::string post_head(std::string_view path, std::string_view content_type, std::size_t body_bytes);

}  // namespace weir::bench
