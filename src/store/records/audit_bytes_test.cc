// SPDX-License-Identifier: Apache-2.0
// Whoever can write the database can also make its checksums anew: what then still finds a change
// is the chain.
#include <doctest/doctest.h>

#include "base/rng.h"
#include "store/records/envelope.h"
#include "store/records/rows.h"
#include "wire/testing/audit_chains.h"

namespace weir::store {
namespace {

std::string bound_to(std::uint64_t number) { return "row " + std::to_string(number); }

bool is_found(std::string_view sealed, const AuditHead& before, const AuditEntry* after) {
  const auto payload = unseal(bound_to(before.number + 1), sealed, "an audit entry");
  if (!payload.ok()) return true;
  auto entry = decode_audit(*payload);
  if (!entry.ok()) return true;
  entry->number = before.number + 1;
  wire::AuditVerifier verifier(before);
  verifier.next(*entry);
  if (after != nullptr) verifier.next(*after);
  return !verifier.sound();
}

// Flips every byte of every `stride`-th record of 10,000: as it is, and with its checksum made
// anew.
void flip_records(std::size_t stride) {
  const auto chain = wire::testing::audit_chain(10'000);
  AuditHead before;
  Rng rng(4711);
  std::uint64_t flips = 0;
  std::uint64_t found = 0;
  std::uint64_t found_resealed = 0;
  for (std::size_t i = 0; i < chain.size(); i += stride) {
    if (i > 0) before = {chain[i - 1].number, chain[i - 1].hash};
    const AuditEntry* after = i + 1 < chain.size() ? &chain[i + 1] : nullptr;
    std::string payload = encode_row(chain[i]);
    std::string sealed = seal(bound_to(i + 1), payload);
    REQUIRE_FALSE(is_found(sealed, before, after));
    for (std::size_t at = 0; at < sealed.size(); ++at) {
      const char flip = static_cast<char>(1 << rng.below(8));
      sealed[at] ^= flip;
      found += is_found(sealed, before, after);
      sealed[at] ^= flip;
      ++flips;
      if (at >= payload.size()) continue;
      payload[at] ^= flip;
      found_resealed += is_found(seal(bound_to(i + 1), payload), before, after);
      payload[at] ^= flip;
    }
  }
  CHECK(flips > 1'000'000 / stride);
  CHECK(found == flips);
  CHECK(found_resealed == flips - 5 * (chain.size() / stride));  // a seal has five bytes
}

TEST_CASE("a flipped byte of a stored audit entry is found") { flip_records(50); }
TEST_CASE("everywhere: every byte of 10,000 stored audit entries" * doctest::skip()) {
  flip_records(1);
}

}  // namespace
}  // namespace weir::store
