// SPDX-License-Identifier: Apache-2.0
#include "store/records/master_key.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/bytes.h"
#include "store/records/xaes_gcm.h"

namespace weir::store {
namespace {

constexpr std::size_t kHexDigits = 64;
constexpr std::size_t kBase64Digits = 44;

std::optional<std::string> from_hex_digits(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    if (i % 2 == 0) bytes.push_back(static_cast<char>(digit << 4));
    if (i % 2 == 1) bytes.back() = static_cast<char>(bytes.back() | digit);
  }
  return bytes;
}

std::optional<std::string> from_base64_digits(std::string_view text) {
  std::string bytes(kBase64Digits / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  const bool padded = text.find('=') == text.size() - 1;  // 32 bytes have exactly one
  const bool whole = padded && size == static_cast<int>(bytes.size()) && bytes.back() == '\0';
  if (!whole) return std::nullopt;
  bytes.pop_back();
  return bytes;
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  const auto first = line.find_first_not_of(kBlanks);
  if (first == line.npos) return {};
  return line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
}

// The only line that says something; empty if there are more or none.
std::string_view key_line(std::string_view text) {
  std::string_view found;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.empty() || line.starts_with('#')) continue;
    if (!found.empty()) return {};
    found = line;
  }
  return found;
}

std::string id_of(const SecretKey& key) {
  return to_hex(keyed_hash(key, "weir master key id")).substr(0, 16);
}

std::string bound_of(const MasterKey& master, StreamId stream, std::uint32_t generation) {
  ByteWriter out;
  out.text("weir data key 1");
  out.u32(stream.value);
  out.u32(generation);
  out.text(master.id);
  return std::move(out).take();
}

}  // namespace

Result<MasterKey> parse_master_key(std::string_view text, std::string_view name) {
  const std::string_view line = key_line(text);
  std::optional<std::string> bytes;
  if (line.size() == kHexDigits) bytes = from_hex_digits(line);
  if (line.size() == kBase64Digits) bytes = from_base64_digits(line);
  if (!bytes || bytes->size() != SecretKey::kBytes) {
    return Error{Code::key_file_invalid,
                 fmt::format("'{}' does not hold one key: 32 bytes as base64 or hex", name),
                 "`weir encryption key create FILE` makes one"};
  }
  const SecretKey key(*bytes);
  wipe(*bytes);
  return MasterKey{id_of(key), key};
}

std::string make_key_file() {
  const SecretKey key = SecretKey::random();
  std::array<char, kBase64Digits + 1> text{};
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                  reinterpret_cast<const unsigned char*>(key.bytes().data()), SecretKey::kBytes);
  return fmt::format(
      "# Weir master key {}. Whoever has it can read the data; without it nobody can.\n{}\n",
      id_of(key), text.data());
}

std::string wrap(const MasterKey& master, StreamId stream, std::uint32_t generation,
                 const SecretKey& data_key) {
  std::string wrapped(kNonceBytes, '\0');
  fill_random(wrapped.data(), wrapped.size());
  const std::string nonce = wrapped;
  XaesGcm(master.key).seal(nonce, bound_of(master, stream, generation), data_key.bytes(), wrapped);
  return wrapped;
}

Result<SecretKey> unwrap(const MasterKey& master, StreamId stream, std::uint32_t generation,
                         std::string_view wrapped) {
  std::string bytes;
  const bool opened = wrapped.size() > kNonceBytes &&
                      XaesGcm(master.key)
                          .open(wrapped.substr(0, kNonceBytes),
                                bound_of(master, stream, generation), wrapped.substr(kNonceBytes),
                                bytes) &&
                      bytes.size() == SecretKey::kBytes;
  if (!opened) {
    return Error{Code::key_wrong,
                 fmt::format("data key {} of stream {} does not open with master key {}",
                             generation, stream.value, master.id),
                 "restore a backup: the row was altered or is damaged"};
  }
  const SecretKey key(bytes);
  wipe(bytes);
  return key;
}

}  // namespace weir::store
