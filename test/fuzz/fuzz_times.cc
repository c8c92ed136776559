// SPDX-License-Identifier: Apache-2.0
// Durations, timestamps and HTTP dates: what is read can be written, and is read again as the same.
#include <string>

#include "base/assert.h"
#include "base/time.h"
#include "input.h"
#include "policy/http_date.h"
#include "policy/server_hint.h"

namespace {

using namespace weir;

const WallTime kNow = from_micros(1'795'000'000'000'000);
constexpr Duration kCentury = std::chrono::hours{24} * 366 * 100;

void check_hint(const policy::ServerHint& hint) {
  if (!hint.minimum) return;
  WEIR_ASSERT(*hint.minimum >= Duration{0} && *hint.minimum <= policy::kRetryAfterMax);
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  if (const auto duration = parse_duration(text)) {
    WEIR_ASSERT(*duration >= Duration{0} && *duration <= kCentury);
    WEIR_ASSERT(parse_duration(to_setting(*duration)) == *duration);
    WEIR_ASSERT(!to_text(*duration).empty());
  }
  if (const auto time = parse_rfc3339(text)) {
    const auto whole = std::chrono::floor<std::chrono::milliseconds>(*time);
    WEIR_ASSERT(parse_rfc3339(to_rfc3339(*time)) == whole);
    WEIR_ASSERT(to_clock_text(*time).size() == 8);
  }
  if (const auto time = policy::parse_http_date(text, kNow)) {
    WEIR_ASSERT(parse_rfc3339(to_rfc3339(*time)) == *time);
  }
  check_hint(policy::read_retry_after(text, kNow));
  check_hint(policy::read_grpc_pushback(text));
  check_hint(policy::read_amz_retry_after(text));
}
