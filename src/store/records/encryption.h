// SPDX-License-Identifier: Apache-2.0
// The encrypted form of records: which data key, the nonce, the ciphertext and its tag (ADR 14).
// Place, table, time and generation are authenticated with them: a record that was altered, moved
// or swapped with another does not open.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/position.h"
#include "store/records/envelope.h"
#include "store/records/xaes_gcm.h"

namespace weir::store {

// Names a data key. Stream 0 has those of what belongs to no stream.
struct KeyName {
  StreamId stream;
  std::uint32_t generation = 0;
  auto operator<=>(const KeyName&) const = default;
};

// Nonces for one thread: 192 random bits at begin(), and from then on the last 32 of them count, so
// that calls in a row share the derived key. Draws anew by itself long before they come round.
class Nonces {
 public:
  void begin() { left_ = 0; }
  std::string_view next();  // valid until the next call

 private:
  std::string nonce_;
  std::uint32_t left_ = 0;
};

// The record of an event: generation, nonce, ciphertext. Appends.
inline constexpr std::size_t kEventCipherBytes = 4 + kNonceBytes + kTagBytes;
void encrypt_event(XaesGcm& key, KeyName name, std::string_view nonce, Position position,
                   const Envelope& envelope, std::string& into);
// The generation of an encrypted record; 0 if it is none.
std::uint32_t generation_of(std::string_view record);
// Code::store_corrupt unless everything is as it was encrypted.
Result<> decrypt_event(XaesGcm& key, Position position, const Envelope& envelope,
                       std::string& into);

// A row's record: stream, generation, nonce, ciphertext. `table` and `bound` are authenticated.
std::string encrypt_row(XaesGcm& key, KeyName name, std::string_view nonce, std::string_view table,
                        std::string_view bound, std::string_view payload);
KeyName name_of_row(std::string_view record);
Result<> decrypt_row(XaesGcm& key, std::string_view table, std::string_view bound,
                     std::string_view record, std::string& into);

}  // namespace weir::store
