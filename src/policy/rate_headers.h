// SPDX-License-Identifier: Apache-2.0
// What an answer's headers say about the pace that its server wants:
//   RateLimit: "name";r=50;t=30 and RateLimit-Policy: "name";q=100;w=60
//     (draft-ietf-httpapi-ratelimit-headers-10, structured fields of RFC 9651): r calls are left
//     for t seconds, of q in w seconds. Of several policies the strictest counts; those that count
//     something else than requests (qu) do not.
//   X-RateLimit-Remaining, -Reset and -Limit, with or without X-: draft 03, Envoy. Seconds, or
//     seconds since 1970 as GitHub sends them.
//   Retry-After of an answer that throttles: it wins over t.
// What is malformed is ignored, what is absurd ends at 24 h. No allocation.
#pragma once

#include <string>

#include "base/time.h"
#include "model/decision.h"
#include "model/outcome.h"
#include "policy/rate_limit.h"

namespace weir::policy {

inline constexpr Duration kResetMax = std::chrono::hours{24};

// "0 calls left for 30.0 s"; empty if nothing is said about calls that are left.
std::string describe(const ServerPace& pace);

ServerPace read_server_pace(const Outcome& outcome, const Classification& classification,
                            WallTime now);

}  // namespace weir::policy
