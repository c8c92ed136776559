// SPDX-License-Identifier: Apache-2.0
#include "api/attempts.h"

#include <algorithm>

namespace weir::api {

std::optional<Duration> Attempts::wrong(std::string_view peer, MonoTime now) {
  const std::string_view address = peer.substr(0, peer.rfind(':'));
  auto found = addresses_.find(address);
  if (found == addresses_.end()) {
    if (addresses_.size() >= kWrongAddressesMax) {
      addresses_.erase(std::ranges::min_element(
          addresses_, {}, [](const auto& entry) { return entry.second.last; }));
    }
    const RateLimitSpec spec{.enabled = true, .per_second = kWrongPerSecond, .burst = kWrongBurst};
    found = addresses_.emplace(std::string(address), Address{policy::RateLimit(spec)}).first;
  }
  found->second.last = now;
  const std::optional<MonoTime> next = found->second.limit.admit(now);
  if (!next) return std::nullopt;
  return *next - now;
}

}  // namespace weir::api
