// SPDX-License-Identifier: Apache-2.0
// Signatures with Ed25519 (RFC 8032). Keys and signatures are raw bytes; whoever makes a key brings
// its 32 random bytes, so that nothing here is random.
#pragma once

#include <string>
#include <string_view>

namespace weir::wire {

inline constexpr std::size_t kSigningSeedBytes = 32;
inline constexpr std::size_t kPublicKeyBytes = 32;
inline constexpr std::size_t kSignatureBytes = 64;

// "" if `seed` has another size, or if the library refuses.
std::string public_key_of(std::string_view seed);
std::string sign(std::string_view seed, std::string_view message);
// False for whatever is no key or no signature.
bool is_signed(std::string_view public_key, std::string_view message, std::string_view signature);

}  // namespace weir::wire
