// SPDX-License-Identifier: Apache-2.0
#include "wire/audit_lines.h"

#include <doctest/doctest.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "wire/audit_chain.h"
#include "wire/signing.h"
#include "wire/testing/audit_chains.h"

namespace weir::wire {
namespace {

constexpr std::string_view kSeedHex =
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

TEST_CASE("Ed25519: the first test vector of RFC 8032") {
  const std::string seed = *from_hex(kSeedHex);
  const std::string key = public_key_of(seed);
  CHECK(to_hex(key) == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  const std::string signature = sign(seed, "");
  CHECK(to_hex(signature) ==
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
        "f9b4"
        "6bd25bf5f0595bbe24655141438e7a100b");
  CHECK(is_signed(key, "", signature));
  CHECK_FALSE(is_signed(key, "x", signature));
  CHECK_FALSE(is_signed(key, "", signature.substr(1)));
  CHECK_FALSE(is_signed("", "", signature));
  CHECK(sign("short", "") == "");
  CHECK(public_key_of("short") == "");
}

// Where a flipped bit of an exported chain is found: by its line, or by the entry after it.
bool is_found(std::string_view line, const AuditHead& before, const AuditEntry* after) {
  if (line.find('\n') != std::string_view::npos) return true;  // two lines, neither of them whole
  const auto entry = parse_audit_entry(line);
  if (!entry.ok()) return true;
  AuditVerifier verifier(before);
  verifier.next(*entry);
  if (after != nullptr) verifier.next(*after);
  return !verifier.sound();
}

// Flips every byte of every `stride`-th line of a chain of 10,000.
void flip_lines(std::size_t stride) {
  const auto chain = testing::audit_chain(10'000);
  AuditHead before;
  Rng rng(4711);
  std::uint64_t flips = 0;
  std::uint64_t found = 0;
  for (std::size_t i = 0; i < chain.size(); i += stride) {
    if (i > 0) before = {chain[i - 1].number, chain[i - 1].hash};
    std::string line = to_line(chain[i]);
    const AuditEntry* after = i + 1 < chain.size() ? &chain[i + 1] : nullptr;
    REQUIRE_FALSE(is_found(line, before, after));
    for (std::size_t at = 0; at < line.size(); ++at) {
      const char flip = static_cast<char>(1 << rng.below(8));
      line[at] ^= flip;
      ++flips;
      found += is_found(line, before, after);
      line[at] ^= flip;
    }
  }
  CHECK(flips > 2'000'000 / stride);
  CHECK(found == flips);
}

TEST_CASE("a flipped byte of an exported chain is found") { flip_lines(50); }
TEST_CASE("everywhere: every byte of an exported chain of 10,000 entries" * doctest::skip()) {
  flip_lines(1);
}

TEST_CASE("every bit of one entry, and of a checkpoint, in a file") {
  const auto chain = testing::audit_chain(3);
  std::string line = to_line(chain[1]);
  const AuditHead before{1, chain[0].hash};
  for (std::size_t bit = 0; bit < line.size() * 8; ++bit) {
    line[bit / 8] ^= static_cast<char>(1 << bit % 8);
    CHECK(is_found(line, before, &chain[2]));
    line[bit / 8] ^= static_cast<char>(1 << bit % 8);
  }
  const std::string signed_line = to_line(sign_checkpoint(
      *from_hex(kSeedHex), {.head = {2, chain[1].hash}, .at = from_micros(1), .incarnation = 1}));
  REQUIRE(is_genuine(*parse_audit_checkpoint(signed_line)));
  std::string flipped = signed_line;
  for (std::size_t bit = 0; bit < flipped.size() * 8; ++bit) {
    flipped[bit / 8] ^= static_cast<char>(1 << bit % 8);
    const auto read = parse_audit_checkpoint(flipped);
    CHECK_FALSE((read.ok() && is_genuine(*read)));
    flipped[bit / 8] = signed_line[bit / 8];
  }
}

TEST_CASE("what is no entry and no checkpoint") {
  const std::string line = to_line(testing::audit_chain(1).front());
  CHECK(parse_audit_entry(line).ok());
  CHECK_FALSE(parse_audit_checkpoint(line).ok());
  CHECK(parse_audit_entry(line + " ").error().code == Code::audit_unreadable);
  CHECK_FALSE(parse_audit_entry("[]").ok());
  CHECK_FALSE(parse_audit_entry("").ok());
  CHECK_FALSE(parse_audit_entry(R"({"number":-1})").ok());
}

}  // namespace
}  // namespace weir::wire
