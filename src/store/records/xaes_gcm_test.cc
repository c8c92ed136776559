// SPDX-License-Identifier: Apache-2.0
#include "store/records/xaes_gcm.h"

#include <doctest/doctest.h>

#include "base/bytes.h"

namespace weir::store {
namespace {

constexpr std::string_view kNonce = "ABCDEFGHIJKLMNOPQRSTUVWX";

std::string sealed_with(char key_byte, std::string_view bound) {
  XaesGcm key(SecretKey(std::string(SecretKey::kBytes, key_byte)));
  std::string sealed;
  key.seal(kNonce, bound, "XAES-256-GCM", sealed);
  return sealed;
}

TEST_CASE("XAES-256-GCM gives what the vectors of C2SP say") {
  CHECK(to_hex(sealed_with(1, "")) == "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271");
  CHECK(to_hex(sealed_with(3, "c2sp.org/XAES-256-GCM")) ==
        "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d");
}

TEST_CASE("what was sealed opens, whatever was sealed in between") {
  XaesGcm key(SecretKey::random());
  std::string other(kNonce);
  other[0] = 'Z';  // another derived key
  for (const std::size_t size : {0, 1, 15, 16, 17, 1000, 100'000}) {
    const std::string plain(size, 'p');
    std::string sealed = "kept";
    key.seal(kNonce, "bound", plain, sealed);
    std::string second;
    key.seal(other, "bound", plain, second);
    std::string opened = "replaced";
    CHECK(sealed.size() == 4 + size + kTagBytes);
    REQUIRE(key.open(kNonce, "bound", sealed.substr(4), opened));
    CHECK(opened == plain);
    REQUIRE(key.open(other, "bound", second, opened));
    CHECK(opened == plain);
  }
}

TEST_CASE("any flipped bit, truncation, other nonce, other bound or other key is refused") {
  XaesGcm key(SecretKey::random());
  std::string sealed;
  key.seal(kNonce, "bound", "a payload of some bytes", sealed);
  std::string opened;
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string damaged = sealed;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    REQUIRE(!key.open(kNonce, "bound", damaged, opened));
    CHECK(opened.empty());
  }
  for (std::size_t bit = 0; bit < kNonceBytes * 8; ++bit) {
    std::string nonce(kNonce);
    nonce[bit / 8] = static_cast<char>(nonce[bit / 8] ^ (1 << (bit % 8)));
    REQUIRE(!key.open(nonce, "bound", sealed, opened));
  }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    REQUIRE(!key.open(kNonce, "bound", std::string_view(sealed).substr(0, size), opened));
  CHECK(!key.open(kNonce, "bounds", sealed, opened));
  CHECK(!XaesGcm(SecretKey::random()).open(kNonce, "bound", sealed, opened));
  CHECK(key.open(kNonce, "bound", sealed, opened));  // refusals leave nothing behind
}

}  // namespace
}  // namespace weir::store
