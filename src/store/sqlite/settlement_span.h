// SPDX-License-Identifier: Apache-2.0
// How many seqs one row of settlements may span: a reader finds every row that can hold a seq
// within this distance.
#pragma once

#include <cstdint>

namespace weir::store::sqlite {

inline constexpr std::uint64_t kSettlementSpan = 8192;

}  // namespace weir::store::sqlite
