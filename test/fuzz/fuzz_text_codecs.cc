// SPDX-License-Identifier: Apache-2.0
// Base64, hex, percent-encoding, attribute headers, tokens and UTF-8: whatever is read is what was
// written, and everything that is written can be read.
#include <string>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/text.h"
#include "input.h"
#include "wire/attribute_header.h"
#include "wire/base64.h"
#include "wire/percent.h"
#include "wire/token_text.h"
#include "wire/utf8.h"

namespace {

using namespace weir::wire;

void check_bytes(std::string_view text) {
  WEIR_ASSERT(base64_decode(base64_encode(text)) == text);
  if (const auto bytes = base64_decode(text)) WEIR_ASSERT(base64_encode(*bytes) == text);
  WEIR_ASSERT(weir::from_hex(weir::to_hex(text)) == text);
  if (const auto bytes = weir::from_hex(text)) WEIR_ASSERT(weir::to_hex(*bytes) == text);
}

void check_percent(std::string_view text) {
  WEIR_ASSERT(percent_decode(percent_encode(text)) == text);
  if (const auto decoded = percent_decode(text)) WEIR_ASSERT(decoded->size() <= text.size());
  const auto query = parse_query(text);
  if (!query.ok()) return;
  std::string again;
  for (const auto& [name, value] : *query)
    again.append(percent_encode(name)).append("=").append(percent_encode(value)).append("&");
  const auto reread = parse_query(again);
  WEIR_ASSERT(reread.ok() && *reread == *query);
}

void check_attribute(std::string_view text) {
  std::string header;
  append_attribute_header(header, text);
  WEIR_ASSERT(std::ranges::all_of(header, [](char c) { return c > ' ' && c <= '~'; }));
  WEIR_ASSERT(decode_attribute_header(header) == text);
  const auto decoded = decode_attribute_header(text);
  if (!needs_decoding(text)) WEIR_ASSERT(decoded == text);
}

void check_utf8(std::string_view text) {
  std::string again;
  bool valid = true;
  for (std::string_view rest = text; !rest.empty();) {
    const Utf8Char first = first_utf8(rest);
    valid = first.size > 0;
    if (!valid) break;
    append_utf8(again, first.value);
    rest.remove_prefix(first.size);
  }
  WEIR_ASSERT(valid == weir::is_valid_utf8(text));
  WEIR_ASSERT(!valid || again == text);
  const std::string shown = weir::printable(text);
  WEIR_ASSERT(weir::is_valid_utf8(shown));
  WEIR_ASSERT(std::ranges::all_of(shown, [](unsigned char c) { return c >= ' ' && c != 0x7F; }));
  WEIR_ASSERT(weir::printable(shown) == shown);
}

void check_token(std::string_view text) {
  if (const auto id = read_token(text)) WEIR_ASSERT(*id);
  std::string secret(text.substr(0, kTokenSecretBytes));
  secret.resize(kTokenSecretBytes);
  const weir::TokenId id{1 + static_cast<std::uint32_t>(text.size())};
  const std::string token = write_token(id, secret);
  WEIR_ASSERT(read_token(token) == id);
  std::string typo = token;
  typo[text.size() % typo.size()] ^= 1;
  WEIR_ASSERT(!read_token(typo));
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  check_bytes(text);
  check_percent(text);
  check_attribute(text);
  check_utf8(text);
  check_token(text);
}
