// SPDX-License-Identifier: Apache-2.0
// How stores wrap what they write, so that damage is found when it is read. SQLite pages carry no
// checksum.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "model/position.h"

namespace weir::store {

// An event as stored: version byte, CRC-32C, recorded time, dedupe hash, then the bytes of
// encode_event(). The checksum also covers the position, so that a record found under another key
// is damage too. The version says whether the record is encrypted (encryption.h); time and hash
// never are: what looks for a place needs no key.
enum class Form : char { plain = 1, encrypted = 2 };
inline constexpr std::size_t kEnvelopeBytes = 1 + 4 + 8 + 8;

struct Envelope {
  WallTime recorded{};
  std::uint64_t dedupe_hash = 0;
  std::string_view record;  // a view into the sealed bytes
  Form form = Form::plain;
};

// Replaces the content of `into`, whose capacity is reused.
void seal_event(Position position, const Envelope& envelope, std::string& into);
// Code::store_corrupt with the position in the detail.
Result<Envelope> open_event(Position position, std::string_view sealed);

// The form that the bytes say they have; Form::plain if they say nothing.
inline Form form_of(std::string_view sealed) {
  return sealed.starts_with(static_cast<char>(Form::encrypted)) ? Form::encrypted : Form::plain;
}

// Everything else: version byte, CRC-32C of `bound` and payload, payload. `bound` is the row's key
// and whatever else must not change beside the payload; it is not stored here.
std::string seal(std::string_view bound, std::string_view payload, Form form = Form::plain);
// A view into `sealed`; Code::store_corrupt with `what` in the detail, also if it has another form.
Result<std::string_view> unseal(std::string_view bound, std::string_view sealed,
                                std::string_view what, Form form = Form::plain);

}  // namespace weir::store
