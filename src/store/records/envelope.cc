// SPDX-License-Identifier: Apache-2.0
#include "store/records/envelope.h"

#include <cstring>

#include <fmt/format.h>

#include "base/crc32c.h"
#include "base/seeded_bug.h"

namespace weir::store {
namespace {

void put_word(char* at, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) at[i] = static_cast<char>(value >> (8 * i));
}

std::uint64_t get_word(const char* at, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(at[i])) << (8 * i);
  }
  return value;
}

std::uint32_t event_checksum(Position position, char version, std::string_view after_checksum) {
  char key[9];
  if (WEIR_SEEDED_BUG("store.record_without_its_place")) position = {};
  put_word(key, static_cast<std::uint64_t>(position.pack()), 8);
  key[8] = version;
  if (WEIR_SEEDED_BUG("store.torn_record_accepted")) after_checksum = after_checksum.substr(0, 16);
  return crc32c(after_checksum, crc32c({key, sizeof key}));
}

bool is_form(char version) {
  return version == static_cast<char>(Form::plain) || version == static_cast<char>(Form::encrypted);
}

// Of plain ones it is what it always was.
std::uint32_t row_checksum(std::string_view bound, std::string_view payload, Form form) {
  const std::uint32_t seed = form == Form::plain ? 0 : static_cast<std::uint32_t>(form);
  return crc32c(payload, crc32c(bound, seed));
}

Error bad_checksum(std::string what) {
  return Error{Code::store_corrupt, std::move(what),
               "run `weir store check` and restore a backup if it says so"};
}

}  // namespace

void seal_event(Position position, const Envelope& envelope, std::string& into) {
  into.resize(kEnvelopeBytes + envelope.record.size());
  char* at = into.data();
  at[0] = static_cast<char>(envelope.form);
  put_word(at + 5, static_cast<std::uint64_t>(to_micros(envelope.recorded)), 8);
  put_word(at + 13, envelope.dedupe_hash, 8);
  if (!envelope.record.empty()) {
    std::memcpy(at + kEnvelopeBytes, envelope.record.data(), envelope.record.size());
  }
  put_word(at + 1, event_checksum(position, at[0], std::string_view(into).substr(5)), 4);
}

Result<Envelope> open_event(Position position, std::string_view sealed) {
  const bool whole = sealed.size() >= kEnvelopeBytes && is_form(sealed[0]);
  if (!whole ||
      get_word(sealed.data() + 1, 4) != event_checksum(position, sealed[0], sealed.substr(5))) {
    return bad_checksum(
        fmt::format("event record {}#{} fails its checksum", position.stream.value, position.seq));
  }
  return Envelope{from_micros(static_cast<std::int64_t>(get_word(sealed.data() + 5, 8))),
                  get_word(sealed.data() + 13, 8), sealed.substr(kEnvelopeBytes), form_of(sealed)};
}

std::string seal(std::string_view bound, std::string_view payload, Form form) {
  std::string sealed(5 + payload.size(), static_cast<char>(form));
  if (!payload.empty()) std::memcpy(sealed.data() + 5, payload.data(), payload.size());
  put_word(sealed.data() + 1, row_checksum(bound, payload, form), 4);
  return sealed;
}

Result<std::string_view> unseal(std::string_view bound, std::string_view sealed,
                                std::string_view what, Form form) {
  const bool whole = sealed.size() >= 5 && sealed[0] == static_cast<char>(form);
  if (!whole || get_word(sealed.data() + 1, 4) != row_checksum(bound, sealed.substr(5), form)) {
    return bad_checksum(fmt::format("the record of {} fails its checksum", what));
  }
  return sealed.substr(5);
}

}  // namespace weir::store
