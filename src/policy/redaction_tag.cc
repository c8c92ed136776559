// SPDX-License-Identifier: Apache-2.0
#include "policy/redaction_tag.h"

#include "wire/digest.h"

namespace weir::policy {
namespace {

constexpr std::string_view kTagPrefix = "redacted:";
constexpr std::size_t kTagDigits = 32;

}  // namespace

std::string redaction_tag(std::string_view secret, std::string_view value) {
  return wire::hmac_sha256_hex(secret, value).substr(0, kTagDigits);
}

std::string key_tag(std::string_view secret, std::string_view key) {
  return std::string(kTagPrefix) + redaction_tag(secret, key);
}

bool is_key_tag(std::string_view key) {
  if (!key.starts_with(kTagPrefix)) return false;
  key.remove_prefix(kTagPrefix.size());
  return key.size() == kTagDigits && key.find_first_not_of("0123456789abcdef") == key.npos;
}

}  // namespace weir::policy
