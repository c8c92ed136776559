// SPDX-License-Identifier: Apache-2.0
// How often somebody may be wrong about a token. A wrong token cannot become a right one by trying:
// 256 bits are too many. The limit bounds what guessing costs and shows it as what it is; it never
// keeps a right token out, so that nobody behind one proxy or address can lock out the others.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "policy/rate_limit.h"

namespace weir::api {

inline constexpr double kWrongPerSecond = 1;
inline constexpr std::uint32_t kWrongBurst = 10;
inline constexpr std::size_t kWrongAddressesMax = 1024;

class Attempts {
 public:
  // A wrong token from `peer` ("127.0.0.1:50312"). nullopt within the limit; otherwise how long it
  // is exceeded for. When the table is full, the address that was wrong longest ago is forgotten.
  std::optional<Duration> wrong(std::string_view peer, MonoTime now);
  std::size_t addresses() const { return addresses_.size(); }

 private:
  struct Address {
    policy::RateLimit limit;
    MonoTime last{};
  };
  std::map<std::string, Address, std::less<>> addresses_;
};

}  // namespace weir::api
