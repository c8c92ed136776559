// SPDX-License-Identifier: Apache-2.0
// Percent-encoding (RFC 3986) and query strings.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::wire {

// nullopt if a '%' is not followed by two hex digits.
std::optional<std::string> percent_decode(std::string_view text);
// Everything but unreserved characters.
std::string percent_encode(std::string_view text);
// "a=b&c=d", '+' means a blank; of repeated names the last counts. Error: invalid_argument.
Result<std::map<std::string, std::string, std::less<>>> parse_query(std::string_view query);

}  // namespace weir::wire
