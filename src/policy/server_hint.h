// SPDX-License-Identifier: Apache-2.0
// What a server says about when to come back, and what is wrong with how it says it. An absurd hint
// is clamped or ignored, and leaves a note.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "model/outcome.h"

namespace weir::policy {

// What is longer is nonsense; decide() applies the flow's own retry.serverDirected.maxInterval.
inline constexpr Duration kRetryAfterMax = std::chrono::hours{24};

struct ServerHint {
  std::optional<Duration> minimum;  // come back no earlier; clamped
  bool no_retry = false;            // the server does not want to be asked again
  std::string note;  // "Retry-After of 365 d cut to 24 h"; empty if nothing was wrong
};

// Delay seconds or an HTTP date (IMF-fixdate, RFC 850 and asctime forms; RFC 9110 sections 5.6.7
// and 10.2.3). A past date is zero, anything else, negative numbers included, no hint.
ServerHint read_retry_after(std::string_view text, WallTime now, Duration max = kRetryAfterMax);

// grpc-retry-pushback-ms: milliseconds; negative or unreadable forbids the retry (gRFC A6).
ServerHint read_grpc_pushback(std::string_view text);

// x-amz-retry-after: milliseconds; negative or unreadable is ignored.
ServerHint read_amz_retry_after(std::string_view text);

// "365 d", "24 h", "5 min", "90 s": whole units where they are exact.
std::string whole_units(Duration duration);

}  // namespace weir::policy
