// SPDX-License-Identifier: Apache-2.0
// Large numbers for people.
#pragma once

#include <cstdint>
#include <string>

namespace weir {

std::string grouped(std::uint64_t number);  // "1,204"

}  // namespace weir
