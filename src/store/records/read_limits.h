// SPDX-License-Identifier: Apache-2.0
// What one read may give at most, in every store.
#pragma once

#include <cstddef>

namespace weir::store {

inline constexpr std::size_t kReadEventsMax = 10'000;
inline constexpr std::size_t kFetchMax = 1024;   // fetch, get_many
inline constexpr std::size_t kListMax = 1000;    // deliveries, groups
inline constexpr std::size_t kPageMax = 10'000;  // due entries, replay items, audit
inline constexpr std::size_t kReplaysMax = 200;
inline constexpr std::size_t kFoundMax = 16;

}  // namespace weir::store
