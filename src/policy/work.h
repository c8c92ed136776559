// SPDX-License-Identifier: Apache-2.0
// The three kinds of calls that compete for one dependency.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weir::policy {

enum class Work : std::uint8_t {
  first,  // live first attempt: deposits into the retry budget
  retry,  // any later attempt, of live deliveries and of replayed ones: charged to the retry budget
  replay,  // first call of a replayed delivery: obeys its rate plan, neither deposits nor is
           // charged
};
inline constexpr std::size_t kWorkCount = 3;
inline constexpr std::array<Work, kWorkCount> kAllWork = {Work::first, Work::retry, Work::replay};

constexpr std::string_view to_text(Work work) {
  constexpr std::array<std::string_view, kWorkCount> names = {"first", "retry", "replay"};
  return names[static_cast<std::size_t>(work)];
}

}  // namespace weir::policy
