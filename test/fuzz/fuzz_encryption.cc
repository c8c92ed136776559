// SPDX-License-Identifier: Apache-2.0
// Encrypted records and key files. Bytes that nobody encrypted do not open; what was encrypted
// opens at its own place only, and not with one bit changed.
#include <string>

#include "base/assert.h"
#include "input.h"
#include "store/records/encryption.h"
#include "store/records/master_key.h"

namespace {

using namespace weir;
using namespace weir::store;

constexpr Position kPlace{.stream = StreamId{3}, .seq = 77};
constexpr KeyName kName{.stream = StreamId{3}, .generation = 2};
const SecretKey kSecret{std::string(SecretKey::kBytes, 'k')};

Envelope envelope_of(std::string_view record) {
  return {.recorded = from_micros(1), .dedupe_hash = 2, .record = record, .form = Form::encrypted};
}

void check_event(XaesGcm& key, std::string_view record, std::string_view nonce, std::size_t at) {
  std::string sealed;
  encrypt_event(key, kName, nonce, kPlace, envelope_of(record), sealed);
  WEIR_ASSERT(generation_of(sealed) == kName.generation);
  std::string opened;
  WEIR_ASSERT(decrypt_event(key, kPlace, envelope_of(sealed), opened).ok() && opened == record);
  WEIR_ASSERT(!decrypt_event(key, {.stream = StreamId{3}, .seq = 78}, envelope_of(sealed), opened));
  sealed[at % sealed.size()] ^= static_cast<char>(1 << at % 8);
  WEIR_ASSERT(!decrypt_event(key, kPlace, envelope_of(sealed), opened).ok());
}

void check_row(XaesGcm& key, std::string_view payload, std::string_view nonce, std::size_t at) {
  std::string sealed = encrypt_row(key, kName, nonce, "table", "bound", payload);
  WEIR_ASSERT(name_of_row(sealed) == kName);
  std::string opened;
  WEIR_ASSERT(decrypt_row(key, "table", "bound", sealed, opened).ok() && opened == payload);
  WEIR_ASSERT(!decrypt_row(key, "tablf", "bound", sealed, opened).ok());
  sealed[at % sealed.size()] ^= static_cast<char>(1 << at % 8);
  WEIR_ASSERT(!decrypt_row(key, "table", "bound", sealed, opened).ok());
}

void check_master_key(std::string_view text) {
  const auto master = parse_master_key(text, "f");
  if (!master.ok()) {
    WEIR_ASSERT(master.error().code == Code::key_file_invalid);
    return;
  }
  const std::string wrapped = wrap(*master, kName.stream, kName.generation, kSecret);
  const auto key = unwrap(*master, kName.stream, kName.generation, wrapped);
  WEIR_ASSERT(key.ok() && key->bytes() == kSecret.bytes());
  WEIR_ASSERT(!unwrap(*master, kName.stream, kName.generation + 1, wrapped).ok());
  WEIR_ASSERT(!unwrap(*master, kName.stream, kName.generation, text).ok());
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  if (text.size() > 8 * 1024) return;
  check_master_key(text);
  XaesGcm key(kSecret);
  std::string opened;
  (void)name_of_row(text);
  (void)generation_of(text);
  WEIR_ASSERT(!decrypt_event(key, kPlace, envelope_of(text), opened).ok());
  WEIR_ASSERT(!decrypt_row(key, "table", "bound", text, opened).ok());
  const std::size_t at = fuzz::take_byte(text) + std::size_t{256} * fuzz::take_byte(text);
  std::string nonce(text.substr(0, kNonceBytes));
  nonce.resize(kNonceBytes);
  check_event(key, text, nonce, at);
  check_row(key, text, nonce, at);
}
