// SPDX-License-Identifier: Apache-2.0
#include "wire/digest.h"

#include <set>

#include <doctest/doctest.h>

namespace weir::wire {
namespace {

// FIPS 180-4 examples.
TEST_CASE("SHA-256") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// Handlers remember keys and the store remembers hashes: neither may ever change.
TEST_CASE("keys and hashes are stable") {
  CHECK(idempotency_key("github", "/repos/a", "id-1", "sync") ==
        "1389fe5d238ced2460c465e5213f97b6");
  CHECK(dedupe_hash("/repos/a", "id-1", 42) == 7239875540039701508u);
}

TEST_CASE("every revision has a key of its own, which is stable") {
  const std::string first = "1389fe5d238ced2460c465e5213f97b6";
  CHECK(revised_key(first, 2) == revised_key(first, 2));
  CHECK(revised_key(first, 2).size() == 32);
  const std::set<std::string> keys = {first, revised_key(first, 2), revised_key(first, 3),
                                      revised_key(revised_key(first, 2), 2)};
  CHECK(keys.size() == 4);
}

TEST_CASE("no two quadruples share a key by concatenation") {
  std::set<std::string> keys;
  keys.insert(idempotency_key("a", "b", "c", "d"));
  keys.insert(idempotency_key("ab", "", "c", "d"));
  keys.insert(idempotency_key("a", "bc", "", "d"));
  keys.insert(idempotency_key("a", "b", "cd", ""));
  keys.insert(idempotency_key("a", "b", "c", std::string("d\0", 2)));
  keys.insert(idempotency_key("", "", "", std::string("\1a\1b\1c\1d")));
  keys.insert(idempotency_key(std::string(128, 'x'), "", "", ""));
  CHECK(keys.size() == 7);
  CHECK(keys.begin()->size() == 32);
}

TEST_CASE("the dedupe hash depends on each field, their border and the seed") {
  std::set<std::uint64_t> hashes = {dedupe_hash("ab", "c", 1), dedupe_hash("a", "bc", 1),
                                    dedupe_hash("abc", "", 1), dedupe_hash("", "abc", 1),
                                    dedupe_hash("ab", "c", 2), dedupe_hash("ab", "d", 1)};
  CHECK(hashes.size() == 6);
}

TEST_CASE("secrets are equal only as a whole") {
  CHECK(sha256_bytes("abc").size() == 32);
  CHECK(equal_secrets(sha256_bytes("abc"), sha256_bytes("abc")));
  CHECK_FALSE(equal_secrets(sha256_bytes("abc"), sha256_bytes("abd")));
  CHECK_FALSE(equal_secrets("abc", "ab"));
  const std::string hash = sha256_bytes("abc");
  for (std::size_t at = 0; at < hash.size(); ++at) {
    CAPTURE(at);
    std::string other = hash;
    other[at] = static_cast<char>(other[at] ^ 1);
    CHECK_FALSE(equal_secrets(hash, other));
  }
  CHECK(equal_secrets("", ""));
}

}  // namespace
}  // namespace weir::wire
