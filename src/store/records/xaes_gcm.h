// SPDX-License-Identifier: Apache-2.0
// XAES-256-GCM (C2SP, xaes-256-gcm.md): AES-256-GCM (NIST SP 800-38D) whose nonce has 192 bits. The
// first half of it derives the key of the call (NIST SP 800-108r1, counter mode, CMAC), the second
// half is the nonce under that key; so nonces can be drawn at random for ever (ADR 14).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "store/records/secret_key.h"

struct evp_cipher_ctx_st;

namespace weir::store {

inline constexpr std::size_t kNonceBytes = 24;
inline constexpr std::size_t kTagBytes = 16;

// One key. Belongs to one thread at a time. Calls whose nonces begin alike share the derived key,
// which is kept for the next one.
class XaesGcm {
 public:
  explicit XaesGcm(const SecretKey& key);
  ~XaesGcm();
  XaesGcm(XaesGcm&&) noexcept;
  XaesGcm& operator=(XaesGcm&&) noexcept;

  // Appends the ciphertext and its tag. The nonce must never come again with other bytes.
  void seal(std::string_view nonce, std::string_view bound, std::string_view plain,
            std::string& into);
  // Replaces `into`. False, and `into` empty, unless key, nonce, `bound` and every byte are those
  // of seal().
  bool open(std::string_view nonce, std::string_view bound, std::string_view sealed,
            std::string& into);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  using Cipher = std::unique_ptr<evp_cipher_ctx_st, Free>;
  // A direction, and the first half of the nonce that its key was derived with.
  struct Side {
    Cipher cipher;
    std::string salt;
  };
  static Cipher start(bool sealing);
  void begin(Side& side, std::string_view nonce, std::string_view bound, bool sealing);

  Cipher block_;    // AES-256 itself, for deriving
  std::string k1_;  // the CMAC subkey of whole blocks (SP 800-38B)
  Side sealing_;
  Side opening_;
};

}  // namespace weir::store
