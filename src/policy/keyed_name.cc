// SPDX-License-Identifier: Apache-2.0
#include "policy/keyed_name.h"

#include <fmt/format.h>

#include "wire/digest.h"

namespace weir::policy {

// What events hold is shown as tags under the same secret. No value of an event is bytes that are
// no UTF-8, so that nobody gets the key shown as the tag of a value.
std::string keyed_name(const Redaction& redaction, std::string_view purpose,
                       std::string_view bytes) {
  const std::string key = redaction.fingerprint(fmt::format("\xff\xfe {}", purpose));
  return wire::hmac_sha256_hex(key, bytes);
}

}  // namespace weir::policy
