// SPDX-License-Identifier: Apache-2.0
#include "store/records/master_key.h"

#include <doctest/doctest.h>

#include "base/bytes.h"
#include "store/records/keyring.h"

namespace weir::store {
namespace {

constexpr std::string_view kHex =
    "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
constexpr std::string_view kBase64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

TEST_CASE("a key file has one key, as base64 or hex, with comments around it") {
  const auto hex = parse_master_key(kHex, "k");
  REQUIRE(hex.ok());
  CHECK(to_hex(hex->key.bytes()).starts_with("000102030405"));
  CHECK(hex->id.size() == 16);
  const auto base64 = parse_master_key("# a key\n\n  " + std::string(kBase64) + "\r\n", "k");
  REQUIRE(base64.ok());
  CHECK(base64->key.bytes() == hex->key.bytes());
  CHECK(base64->id == hex->id);
}

TEST_CASE("what is no key file is refused, and its text is not repeated") {
  const std::string one(kHex);
  const std::string others[] = {"",
                                "# only a comment",
                                one.substr(1),
                                one + "0",
                                one + "\n" + one,
                                "g" + one.substr(1),
                                std::string(kBase64).replace(3, 1, "!"),
                                std::string(kBase64).replace(43, 1, "A"),
                                std::string(44, '=')};
  for (const std::string& text : others) {
    CAPTURE(text);
    const auto key = parse_master_key(text, "/k/file");
    REQUIRE(!key.ok());
    CHECK(key.error().code == Code::key_file_invalid);
    CHECK(key.error().detail.find("/k/file") != std::string::npos);
    CHECK(key.error().detail.find("0405") == std::string::npos);
  }
}

TEST_CASE("a new key file is read back, and is another one each time") {
  const std::string text = make_key_file();
  const auto key = parse_master_key(text, "k");
  REQUIRE(key.ok());
  CHECK(text.find(key->id) != std::string::npos);
  CHECK(parse_master_key(make_key_file(), "k")->id != key->id);
}

TEST_CASE("a wrapped data key opens for its stream, generation and master key only") {
  const MasterKey master = *parse_master_key(make_key_file(), "k");
  const MasterKey other = *parse_master_key(make_key_file(), "k");
  const SecretKey data = SecretKey::random();
  const std::string wrapped = wrap(master, StreamId{3}, 7, data);
  CHECK(wrapped != wrap(master, StreamId{3}, 7, data));
  CHECK(unwrap(master, StreamId{3}, 7, wrapped)->bytes() == data.bytes());
  CHECK(unwrap(master, StreamId{4}, 7, wrapped).error().code == Code::key_wrong);
  CHECK(unwrap(master, StreamId{3}, 8, wrapped).error().code == Code::key_wrong);
  CHECK(unwrap(other, StreamId{3}, 7, wrapped).error().code == Code::key_wrong);
  CHECK(unwrap(master, StreamId{3}, 7, "short").error().code == Code::key_wrong);
  for (std::size_t i = 0; i < wrapped.size(); ++i) {
    std::string damaged = wrapped;
    damaged[i] ^= 1;
    CHECK(!unwrap(master, StreamId{3}, 7, damaged).ok());
  }
}

TEST_CASE("secrets are overwritten when they are wiped") {
  std::string text = "a secret that is long enough to live on the heap";
  const char* at = text.data();
  const std::size_t size = text.size();
  wipe(text);
  CHECK(text.empty());
  REQUIRE(text.data() == at);  // the same place, still the string's
  text.resize(size);
  CHECK(std::string_view(text) == std::string(size, '\0'));
}

TEST_CASE("a keyring finds its keys by id") {
  const MasterKey now = *parse_master_key(make_key_file(), "k");
  const MasterKey before = *parse_master_key(make_key_file(), "k");
  Keyring ring({now, before});
  CHECK(find_key(*ring.keys(), before.id) != nullptr);
  ring.replace(std::make_shared<const Keyring::Keys>(Keyring::Keys{now}));
  CHECK(find_key(*ring.keys(), before.id) == nullptr);
  CHECK(ring.keys()->front().id == now.id);
}

}  // namespace
}  // namespace weir::store
