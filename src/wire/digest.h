// SPDX-License-Identifier: Apache-2.0
// Hashes with a meaning outside the process (SHA-256, FIPS 180-4; HMAC, RFC 2104) and the hash of
// the dedupe table (XXH3).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::wire {

std::string sha256_hex(std::string_view bytes);    // 64 hex digits
std::string sha256_bytes(std::string_view bytes);  // 32 bytes

// Takes as long for a wrong first byte as for a wrong last one. Lengths are no secret.
bool equal_secrets(std::string_view a, std::string_view b);

// HMAC-SHA-256 (RFC 2104), 64 hex digits. Any key, also an empty one.
std::string hmac_sha256_hex(std::string_view key, std::string_view bytes);

// The Idempotency-Key of a delivery: 32 hex digits of SHA-256 over the fields with their lengths,
// so that no two different quadruples give the same input. flow_identity is the flow's first name:
// renaming keeps keys.
std::string idempotency_key(std::string_view stream, std::string_view source, std::string_view id,
                            std::string_view flow_identity);

// That of a later revision of its event: what a handler is sent is another request then.
std::string revised_key(std::string_view idempotency_key, std::uint32_t revision);

// 64 bits of source and id, keyed by a seed that only this store knows; a hit is always verified
// against the event.
std::uint64_t dedupe_hash(std::string_view source, std::string_view id, std::uint64_t seed);

}  // namespace weir::wire
