// SPDX-License-Identifier: Apache-2.0
#include "wire/digest.h"

#define OPENSSL_SUPPRESS_DEPRECATED  // whatever goes through EVP, SHA256() too, looks the algorithm
                                     // up again: four times the cost for an event's few bytes
#define XXH_INLINE_ALL

#include <array>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <xxhash.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/seeded_bug.h"

namespace weir::wire {
namespace {

std::array<unsigned char, SHA256_DIGEST_LENGTH> sha256(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, bytes.data(), bytes.size());
  SHA256_Final(digest.data(), &state);
  return digest;
}

std::string_view as_text(const std::array<unsigned char, SHA256_DIGEST_LENGTH>& digest,
                         std::size_t bytes) {
  return {reinterpret_cast<const char*>(digest.data()), bytes};
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  return to_hex(as_text(sha256(bytes), SHA256_DIGEST_LENGTH));
}

std::string hmac_sha256_hex(std::string_view key, std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  unsigned size = 0;
  const auto* made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                          reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                          digest.data(), &size);
  WEIR_ASSERT(made != nullptr && size == digest.size());
  return to_hex(as_text(digest, digest.size()));
}

std::string sha256_bytes(std::string_view bytes) {
  return std::string(as_text(sha256(bytes), SHA256_DIGEST_LENGTH));
}

bool equal_secrets(std::string_view a, std::string_view b) {
  const std::size_t size = WEIR_SEEDED_BUG("tokens.compared_by_prefix") ? 16 : a.size();
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), std::min(size, a.size())) == 0;
}

std::string idempotency_key(std::string_view stream, std::string_view source, std::string_view id,
                            std::string_view flow_identity) {
  ByteWriter fields;
  fields.reserve(stream.size() + source.size() + id.size() + flow_identity.size() + 16);
  for (const std::string_view field : {stream, source, id, flow_identity}) fields.text(field);
  return to_hex(as_text(sha256(fields.bytes()), 16));
}

std::string revised_key(std::string_view idempotency_key, std::uint32_t revision) {
  ByteWriter fields;
  fields.text(idempotency_key);
  fields.varint(revision);
  return to_hex(as_text(sha256(fields.bytes()), 16));
}

std::uint64_t dedupe_hash(std::string_view source, std::string_view id, std::uint64_t seed) {
  const std::uint64_t first = XXH3_64bits_withSeed(source.data(), source.size(), seed);
  return XXH3_64bits_withSeed(id.data(), id.size(), first);
}

}  // namespace weir::wire
