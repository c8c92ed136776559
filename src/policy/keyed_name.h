// SPDX-License-Identifier: Apache-2.0
// Names for things that are made of what redaction hides: whoever may see the name, but not the
// thing, cannot find the thing by trying, not even with equal values that they publish.
#pragma once

#include <string>
#include <string_view>

#include "policy/redaction.h"

namespace weir::policy {

// 64 hex digits: HMAC-SHA-256 (RFC 2104) with a key of this store and this purpose.
std::string keyed_name(const Redaction& redaction, std::string_view purpose,
                       std::string_view bytes);

}  // namespace weir::policy
