// SPDX-License-Identifier: Apache-2.0
// What stands for a hidden value: equal for equal values, and without the store's secret it cannot
// be made, also not by trying out values (HMAC-SHA-256, RFC 2104).
#pragma once

#include <string>
#include <string_view>

namespace weir::policy {

std::string redaction_tag(std::string_view secret, std::string_view value);  // 32 hex digits

// An ordering key that is hidden: "redacted:" and the tag. Long enough that no two keys meet.
std::string key_tag(std::string_view secret, std::string_view key);
bool is_key_tag(std::string_view key);

}  // namespace weir::policy
