// SPDX-License-Identifier: Apache-2.0
#include "store/records/encryption.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/seeded_bug.h"

namespace weir::store {
namespace {

constexpr std::uint32_t kRun = 1u << 20;  // nonces of one draw
constexpr std::size_t kWord = 4;

std::string word(std::uint32_t value) {
  ByteWriter out;
  out.u32(value);
  return std::move(out).take();
}

std::uint32_t word_at(std::string_view bytes, std::size_t at) {
  return ByteReader(bytes.substr(std::min(at, bytes.size()))).u32();
}

void put(char*& at, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) *at++ = static_cast<char>(value >> (8 * i));
}

// On the stack: this is done for every event.
class EventBound {
 public:
  EventBound(Position position, const Envelope& envelope, std::uint32_t generation) {
    char* at = std::ranges::copy(kLabel, bytes_.begin()).out;
    put(at, static_cast<std::uint64_t>(position.pack()), 8);
    put(at, static_cast<std::uint64_t>(to_micros(envelope.recorded)), 8);
    put(at, envelope.dedupe_hash, 8);
    put(at, generation, 4);
  }
  std::string_view text() const { return {bytes_.data(), bytes_.size()}; }

 private:
  static constexpr std::string_view kLabel = "weir event 2";
  std::array<char, kLabel.size() + 8 + 8 + 8 + 4> bytes_;
};

std::string bound_of_row(KeyName name, std::string_view table, std::string_view bound) {
  ByteWriter out;
  out.text("weir row 2");
  out.text(table);
  out.u32(name.stream.value);
  out.u32(name.generation);
  out.raw(bound);
  return std::move(out).take();
}

Error altered(std::string what) {
  return Error{Code::store_corrupt, std::move(what) + " is not what was encrypted in its place",
               "run `weir store check` and restore a backup if it says so"};
}

}  // namespace

std::string_view Nonces::next() {
  if (left_ == 0) {
    nonce_.resize(kNonceBytes);
    fill_random(nonce_.data(), nonce_.size());
    left_ = kRun;
    return nonce_;
  }
  if (WEIR_SEEDED_BUG("encryption.nonce_reused")) return nonce_;
  --left_;
  for (std::size_t i = kNonceBytes; i-- > kNonceBytes - kWord;) {
    if (++nonce_[i] != 0) break;
  }
  return nonce_;
}

void encrypt_event(XaesGcm& key, KeyName name, std::string_view nonce, Position position,
                   const Envelope& envelope, std::string& into) {
  into.reserve(into.size() + kWord + kNonceBytes + envelope.record.size() + kTagBytes);
  into += word(name.generation);
  into += nonce;
  key.seal(nonce, EventBound(position, envelope, name.generation).text(), envelope.record, into);
}

std::uint32_t generation_of(std::string_view record) { return word_at(record, 0); }

Result<> decrypt_event(XaesGcm& key, Position position, const Envelope& envelope,
                       std::string& into) {
  const std::string_view record = envelope.record;
  constexpr std::size_t kHead = kWord + kNonceBytes;
  const bool opened = record.size() >= kHead &&
                      key.open(record.substr(kWord, kNonceBytes),
                               EventBound(position, envelope, generation_of(record)).text(),
                               record.substr(kHead), into);
  if (opened) return {};
  return altered(fmt::format("event record {}#{}", position.stream.value, position.seq));
}

std::string encrypt_row(XaesGcm& key, KeyName name, std::string_view nonce, std::string_view table,
                        std::string_view bound, std::string_view payload) {
  std::string record = word(name.stream.value) + word(name.generation);
  record += nonce;
  key.seal(nonce, bound_of_row(name, table, bound), payload, record);
  return record;
}

KeyName name_of_row(std::string_view record) {
  return {StreamId{word_at(record, 0)}, word_at(record, kWord)};
}

Result<> decrypt_row(XaesGcm& key, std::string_view table, std::string_view bound,
                     std::string_view record, std::string& into) {
  constexpr std::size_t kHead = 2 * kWord + kNonceBytes;
  const bool opened = record.size() >= kHead &&
                      key.open(record.substr(2 * kWord, kNonceBytes),
                               bound_of_row(name_of_row(record), table, bound),
                               record.substr(kHead), into);
  if (opened) return {};
  return altered(fmt::format("a record of {}", table));
}

}  // namespace weir::store
