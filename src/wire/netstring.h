// SPDX-License-Identifier: Apache-2.0
// Netstrings (D. J. Bernstein, 1997): length in decimal, ':', the bytes, ','. Fields one after the
// other can only be taken apart in one way, so that they can be hashed or signed.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace weir::wire {

inline void append_netstring(std::string& out, std::string_view text) {
  out += std::to_string(text.size());
  out += ':';
  out += text;
  out += ',';
}

inline std::string netstrings(std::initializer_list<std::string_view> texts) {
  std::string out;
  for (const std::string_view text : texts) append_netstring(out, text);
  return out;
}

}  // namespace weir::wire
