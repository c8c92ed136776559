// SPDX-License-Identifier: Apache-2.0
#include "wire/signing.h"

#include <memory>

#include <openssl/evp.h>

namespace weir::wire {
namespace {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
};
using SigningKey = std::unique_ptr<EVP_PKEY, FreeKey>;
using DigestState = std::unique_ptr<EVP_MD_CTX, FreeDigest>;

const unsigned char* raw_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

SigningKey private_key(std::string_view seed) {
  if (seed.size() != kSigningSeedBytes) return nullptr;
  return SigningKey(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw_bytes(seed), seed.size()));
}

}  // namespace

std::string public_key_of(std::string_view seed) {
  const SigningKey key = private_key(seed);
  std::string bytes(kPublicKeyBytes, '\0');
  std::size_t size = bytes.size();
  auto* out = reinterpret_cast<unsigned char*>(bytes.data());
  return key && EVP_PKEY_get_raw_public_key(key.get(), out, &size) == 1 ? bytes : "";
}

std::string sign(std::string_view seed, std::string_view message) {
  const SigningKey key = private_key(seed);
  const DigestState state(EVP_MD_CTX_new());
  std::string signature(kSignatureBytes, '\0');
  std::size_t size = signature.size();
  auto* out = reinterpret_cast<unsigned char*>(signature.data());
  const bool made = key && state &&
                    EVP_DigestSignInit(state.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
                    EVP_DigestSign(state.get(), out, &size, raw_bytes(message), message.size()) ==
                        1;
  return made ? signature : "";
}

bool is_signed(std::string_view public_key, std::string_view message, std::string_view signature) {
  if (public_key.size() != kPublicKeyBytes || signature.size() != kSignatureBytes) return false;
  const SigningKey key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw_bytes(public_key),
                                                   public_key.size()));
  const DigestState state(EVP_MD_CTX_new());
  return key && state &&
         EVP_DigestVerifyInit(state.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(state.get(), raw_bytes(signature), signature.size(), raw_bytes(message),
                          message.size()) == 1;
}

}  // namespace weir::wire
