// SPDX-License-Identifier: Apache-2.0
#include "store/records/xaes_gcm.h"

#include <array>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/assert.h"
#include "base/seeded_bug.h"

namespace weir::store {
namespace {

constexpr std::size_t kBlock = 16;
constexpr std::size_t kSaltBytes = 12;

const unsigned char* in_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* out_bytes(char* at) { return reinterpret_cast<unsigned char*>(at); }

std::string encrypt_block(EVP_CIPHER_CTX* context, std::string_view block) {
  std::string out(kBlock, '\0');
  int size = 0;
  const int done = EVP_EncryptUpdate(context, out_bytes(out.data()), &size, in_bytes(block),
                                     kBlock);
  WEIR_ASSERT(done == 1 && size == kBlock);
  return out;
}

// Times x in GF(2^128), as CMAC makes its first subkey.
std::string doubled(std::string_view block) {
  std::string out(kBlock, '\0');
  unsigned carry = 0;
  for (std::size_t i = kBlock; i-- > 0;) {
    const auto byte = static_cast<unsigned char>(block[i]);
    out[i] = static_cast<char>((byte << 1) | carry);
    carry = byte >> 7;
  }
  out[kBlock - 1] = static_cast<char>(static_cast<unsigned char>(out[kBlock - 1]) ^ (carry * 0x87));
  return out;
}

// AES-CMAC of the one whole block 00 <counter> 'X' 00 <salt>.
std::string derived_half(EVP_CIPHER_CTX* block, std::string_view k1, char counter,
                         std::string_view salt) {
  std::string message{'\0', counter, 'X', '\0'};
  message.append(salt);
  for (std::size_t i = 0; i < kBlock; ++i) message[i] = static_cast<char>(message[i] ^ k1[i]);
  return encrypt_block(block, message);
}

}  // namespace

void XaesGcm::Free::operator()(evp_cipher_ctx_st* context) const { EVP_CIPHER_CTX_free(context); }

XaesGcm::Cipher XaesGcm::start(bool sealing) {
  Cipher cipher(EVP_CIPHER_CTX_new());
  const int done = EVP_CipherInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, nullptr, nullptr,
                                     sealing ? 1 : 0);
  WEIR_ASSERT(done == 1);
  return cipher;
}

XaesGcm::XaesGcm(const SecretKey& key)
    : block_(EVP_CIPHER_CTX_new()), sealing_{start(true), {}}, opening_{start(false), {}} {
  const int done = EVP_EncryptInit_ex(block_.get(), EVP_aes_256_ecb(), nullptr,
                                      in_bytes(key.bytes()), nullptr);
  WEIR_ASSERT(done == 1);
  EVP_CIPHER_CTX_set_padding(block_.get(), 0);
  k1_ = doubled(encrypt_block(block_.get(), std::string(kBlock, '\0')));
}

XaesGcm::~XaesGcm() { wipe(k1_); }
XaesGcm::XaesGcm(XaesGcm&&) noexcept = default;
XaesGcm& XaesGcm::operator=(XaesGcm&&) noexcept = default;

void XaesGcm::begin(Side& side, std::string_view nonce, std::string_view bound, bool sealing) {
  WEIR_ASSERT(nonce.size() == kNonceBytes);
  const std::string_view salt = nonce.substr(0, kSaltBytes);
  const std::string_view iv = nonce.substr(kSaltBytes);
  std::string key;
  if (side.salt != salt) {
    key = derived_half(block_.get(), k1_, 1, salt) + derived_half(block_.get(), k1_, 2, salt);
    side.salt = salt;
  }
  int done = EVP_CipherInit_ex(side.cipher.get(), nullptr, nullptr,
                               key.empty() ? nullptr : in_bytes(key), in_bytes(iv),
                               sealing ? 1 : 0);
  WEIR_ASSERT(done == 1);
  if (!key.empty()) wipe(key);
  if (WEIR_SEEDED_BUG("encryption.bound_ignored")) bound = {};
  int size = 0;
  done = EVP_CipherUpdate(side.cipher.get(), nullptr, &size, in_bytes(bound),
                          static_cast<int>(bound.size()));
  WEIR_ASSERT(done == 1);
}

void XaesGcm::seal(std::string_view nonce, std::string_view bound, std::string_view plain,
                   std::string& into) {
  begin(sealing_, nonce, bound, true);
  const std::size_t before = into.size();
  into.resize(before + plain.size() + kTagBytes);
  char* at = into.data() + before;
  int size = 0;
  int done = EVP_EncryptUpdate(sealing_.cipher.get(), out_bytes(at), &size, in_bytes(plain),
                               static_cast<int>(plain.size()));
  WEIR_ASSERT(done == 1 && static_cast<std::size_t>(size) == plain.size());
  done = EVP_EncryptFinal_ex(sealing_.cipher.get(), out_bytes(at + size), &size);
  WEIR_ASSERT(done == 1 && size == 0);
  done = EVP_CIPHER_CTX_ctrl(sealing_.cipher.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes,
                             at + plain.size());
  WEIR_ASSERT(done == 1);
}

bool XaesGcm::open(std::string_view nonce, std::string_view bound, std::string_view sealed,
                   std::string& into) {
  into.clear();
  if (sealed.size() < kTagBytes) return false;
  begin(opening_, nonce, bound, false);
  const std::string_view cipher = sealed.substr(0, sealed.size() - kTagBytes);
  std::string tag(sealed.substr(cipher.size()));
  into.resize(cipher.size() + kBlock);
  int size = 0;
  int last = 0;
  const bool opened = EVP_DecryptUpdate(opening_.cipher.get(), out_bytes(into.data()), &size,
                                        in_bytes(cipher), static_cast<int>(cipher.size())) == 1 &&
                      EVP_CIPHER_CTX_ctrl(opening_.cipher.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes,
                                          tag.data()) == 1 &&
                      EVP_DecryptFinal_ex(opening_.cipher.get(), out_bytes(into.data() + size),
                                          &last) == 1;
  if (opened) {
    into.resize(cipher.size());
  } else {
    wipe(into);
  }
  return opened;
}

}  // namespace weir::store
