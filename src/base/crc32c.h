// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli, RFC 3720): the checksum of stored records.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

// Chain calls by passing the last result as seed. Uses the processor's instruction if there is one.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);
// The same, without that instruction.
std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace weir
