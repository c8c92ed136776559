// SPDX-License-Identifier: Apache-2.0
#include "wire/token_text.h"

#include <algorithm>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "wire/base64.h"

namespace weir::wire {
namespace {

constexpr std::string_view kTokenPrefix = "weir_";
constexpr std::size_t kSecretChars = 43;
constexpr std::size_t kCheckChars = 6;

std::string base64url(std::string_view bytes) {
  std::string text = base64_encode(bytes);
  while (text.ends_with('=')) text.pop_back();
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

std::string check_of(std::string_view text) {
  ByteWriter bytes;
  bytes.u32(crc32c(text));
  return base64url(bytes.bytes());
}

}  // namespace

std::string write_token(TokenId id, std::string_view secret) {
  WEIR_ASSERT(secret.size() == kTokenSecretBytes);
  std::string text(kTokenPrefix);
  text += to_text(id) + "_" + base64url(secret);
  return text + check_of(text);
}

std::optional<TokenId> read_token(std::string_view text) {
  if (!text.starts_with(kTokenPrefix)) return std::nullopt;
  const std::size_t line = text.find('_', kTokenPrefix.size());
  if (line == text.npos || text.size() != line + 1 + kSecretChars + kCheckChars)
    return std::nullopt;
  const std::string_view checked = text.substr(0, text.size() - kCheckChars);
  if (check_of(checked) != text.substr(checked.size())) return std::nullopt;
  return parse_token_id(text.substr(kTokenPrefix.size(), line - kTokenPrefix.size()));
}

}  // namespace weir::wire
