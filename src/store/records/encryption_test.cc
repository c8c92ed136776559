// SPDX-License-Identifier: Apache-2.0
#include "store/records/encryption.h"

#include <set>
#include <unordered_set>

#include <doctest/doctest.h>

namespace weir::store {
namespace {

const KeyName kName{StreamId{3}, 5};
const Position kWhere{StreamId{3}, 0, 77};

Envelope envelope_of(std::string_view record) {
  return {from_micros(1'000'000), 0xABCDEF, record, Form::encrypted};
}

// As a store has it: sealed with its checksum.
std::string stored_event(XaesGcm& key, Nonces& nonces, std::string_view plain) {
  std::string cipher;
  encrypt_event(key, kName, nonces.next(), kWhere, envelope_of(plain), cipher);
  std::string sealed;
  seal_event(kWhere, envelope_of(cipher), sealed);
  return sealed;
}

TEST_CASE("an encrypted event tells its time and hash without a key, and the rest with it") {
  XaesGcm key(SecretKey::random());
  Nonces nonces;
  const std::string sealed = stored_event(key, nonces, "CANARY");
  CHECK(sealed.find("CANARY") == std::string::npos);
  CHECK(sealed.size() == kEnvelopeBytes + 4 + kNonceBytes + 6 + kTagBytes);
  CHECK(form_of(sealed) == Form::encrypted);
  const auto envelope = open_event(kWhere, sealed);
  REQUIRE(envelope.ok());
  CHECK(envelope->form == Form::encrypted);
  CHECK(to_micros(envelope->recorded) == 1'000'000);
  CHECK(envelope->dedupe_hash == 0xABCDEF);
  CHECK(generation_of(envelope->record) == 5);
  std::string plain;
  REQUIRE(decrypt_event(key, kWhere, *envelope, plain).ok());
  CHECK(plain == "CANARY");
}

// The checksum is no protection against somebody who means it: it is left out here.
TEST_CASE("an event that was moved, or whose time, hash or generation was changed, does not open") {
  XaesGcm key(SecretKey::random());
  Nonces nonces;
  std::string cipher;
  const Envelope envelope = envelope_of("payload");
  encrypt_event(key, kName, nonces.next(), kWhere, envelope, cipher);
  Envelope stored = envelope;
  stored.record = cipher;
  std::string plain;
  CHECK(decrypt_event(key, kWhere, stored, plain).ok());
  for (const Position place :
       {Position{StreamId{4}, 0, 77}, Position{StreamId{3}, 1, 77}, Position{StreamId{3}, 0, 78}}) {
    CHECK(decrypt_event(key, place, stored, plain).error().code == Code::store_corrupt);
  }
  Envelope later = stored;
  later.recorded += Duration{1};
  CHECK(!decrypt_event(key, kWhere, later, plain).ok());
  Envelope other_hash = stored;
  ++other_hash.dedupe_hash;
  CHECK(!decrypt_event(key, kWhere, other_hash, plain).ok());
  for (std::size_t i = 0; i < cipher.size(); ++i) {
    std::string damaged = cipher;
    damaged[i] ^= 1;
    Envelope changed = envelope;
    changed.record = damaged;
    CHECK(!decrypt_event(key, kWhere, changed, plain).ok());
    changed.record = std::string_view(cipher).substr(0, i);
    CHECK(!decrypt_event(key, kWhere, changed, plain).ok());
  }
}

TEST_CASE("a row's record is bound to its table, its key and its data key's name") {
  XaesGcm key(SecretKey::random());
  Nonces nonces;
  const std::string record = encrypt_row(key, kName, nonces.next(), "holds", "flow 1", "payload");
  CHECK(name_of_row(record) == kName);
  std::string plain;
  REQUIRE(decrypt_row(key, "holds", "flow 1", record, plain).ok());
  CHECK(plain == "payload");
  CHECK(!decrypt_row(key, "groups", "flow 1", record, plain).ok());
  CHECK(!decrypt_row(key, "holds", "flow 2", record, plain).ok());
  for (std::size_t i = 0; i < record.size(); ++i) {
    std::string damaged = record;
    damaged[i] ^= 1;
    CHECK(!decrypt_row(key, "holds", "flow 1", damaged, plain).ok());
  }
}

TEST_CASE("the encrypted form is not the plain one") {
  const std::string sealed = seal("key", "payload", Form::encrypted);
  CHECK(!unseal("key", sealed, "x").ok());
  CHECK(*unseal("key", sealed, "x", Form::encrypted) == "payload");
  std::string pretends = sealed;
  pretends[0] = static_cast<char>(Form::plain);
  CHECK(!unseal("key", pretends, "x").ok());
}

TEST_CASE("no nonce comes twice in a million, within a transaction or over many") {
  std::unordered_set<std::string> seen;
  Nonces long_one;
  for (int i = 0; i < 1'100'000; ++i) seen.emplace(long_one.next());  // past the end of one draw
  CHECK(seen.size() == 1'100'000);
  std::set<std::string> starts;
  Nonces many;
  for (int i = 0; i < 20'000; ++i) {
    many.begin();  // as after a restart, or in a restored copy: nothing is known of before
    const std::string first(many.next());
    starts.insert(first.substr(0, 12));
    seen.insert(first);
    seen.emplace(many.next());
  }
  CHECK(starts.size() == 20'000);
  CHECK(seen.size() == 1'140'000);
}

}  // namespace
}  // namespace weir::store
