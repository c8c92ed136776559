// SPDX-License-Identifier: Apache-2.0
// Dates as HTTP writes them (RFC 9110 section 5.6.7).
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace weir::policy {

// IMF-fixdate ("Sun, 06 Nov 1994 08:49:37 GMT") and the two obsolete forms, RFC 850 ("Sunday,
// 06-Nov-94 08:49:37 GMT") and asctime ("Sun Nov  6 08:49:37 1994"). A two-digit year that would
// lie more than 50 years after `now` means the past century. The name of the weekday must be one,
// but is not compared with the date.
std::optional<WallTime> parse_http_date(std::string_view text, WallTime now);

}  // namespace weir::policy
