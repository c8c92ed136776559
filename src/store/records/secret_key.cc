// SPDX-License-Identifier: Apache-2.0
#include "store/records/secret_key.h"

#include <algorithm>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/assert.h"

namespace weir::store {
namespace {

constexpr std::size_t kTokenBytes = 16;

std::array<unsigned char, SecretKey::kBytes> hmac(const SecretKey& key, std::string_view text) {
  std::array<unsigned char, SecretKey::kBytes> digest{};
  unsigned size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* done = HMAC(EVP_sha256(), key.bytes().data(), SecretKey::kBytes, bytes,
                                   text.size(), digest.data(), &size);
  WEIR_ASSERT(done != nullptr && size == digest.size());
  return digest;
}

}  // namespace

void fill_random(char* at, std::size_t size) {
  const int filled = RAND_bytes(reinterpret_cast<unsigned char*>(at), static_cast<int>(size));
  WEIR_ASSERT(filled == 1);
}

SecretKey SecretKey::random() {
  SecretKey key;
  fill_random(key.bytes_.data(), key.bytes_.size());
  return key;
}

SecretKey::SecretKey(std::string_view bytes) {
  WEIR_ASSERT(bytes.size() == kBytes);
  std::ranges::copy(bytes, bytes_.begin());
}

SecretKey::~SecretKey() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

void wipe(std::string& text) {
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

std::string keyed_hash(const SecretKey& key, std::string_view text) {
  const auto digest = hmac(key, text);
  return {reinterpret_cast<const char*>(digest.data()), kTokenBytes};
}

SecretKey derive(const SecretKey& key, std::string_view purpose) {
  auto digest = hmac(key, purpose);
  SecretKey derived({reinterpret_cast<const char*>(digest.data()), digest.size()});
  OPENSSL_cleanse(digest.data(), digest.size());
  return derived;
}

}  // namespace weir::store
