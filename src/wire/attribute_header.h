// SPDX-License-Identifier: Apache-2.0
// A CloudEvents attribute value as the value of an HTTP header (HTTP protocol binding 1.0.2,
// section 3.1.3.2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::wire {

// Appends `value` with space, double quote, percent and everything outside printable ASCII
// percent-encoded, byte by byte of its UTF-8.
void append_attribute_header(std::string& out, std::string_view value);

// False if decoding would leave the text as it is.
bool needs_decoding(std::string_view header);
// Takes the quotes and backslashes from a value that is one quoted string, as older producers send
// it, then one round of percent-decoding. nullopt if a '%' is not followed by two hex digits.
std::optional<std::string> decode_attribute_header(std::string_view header);

}  // namespace weir::wire
