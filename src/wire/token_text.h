// SPDX-License-Identifier: Apache-2.0
// How an access token is written: weir_ID_SECRETCHECK, as in weir_t3_q8Zr...; SECRET is 256 random
// bits and CHECK the CRC-32C of everything before it, both base64url (RFC 4648, section 5). The
// prefix lets scanners find tokens that leaked; the check tells a typing mistake from a wrong
// token, and is no secret.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/access.h"

namespace weir::wire {

inline constexpr std::size_t kTokenSecretBytes = 32;

// `secret` has kTokenSecretBytes bytes.
std::string write_token(TokenId id, std::string_view secret);
// Whose token this would be; nullopt for what is no whole token.
std::optional<TokenId> read_token(std::string_view text);

}  // namespace weir::wire
