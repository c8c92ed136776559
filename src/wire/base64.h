// SPDX-License-Identifier: Apache-2.0
// Base64 with padding (RFC 4648 section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::wire {

std::string base64_encode(std::string_view bytes);
// Strict: padding required, nothing but the alphabet, unused bits zero.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace weir::wire
