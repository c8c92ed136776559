// SPDX-License-Identifier: Apache-2.0
// Reads as a connection does it: what was not used is offered again with what comes next.
#pragma once

#include <string>
#include <string_view>

#include "base/assert.h"
#include "net/http_parser.h"

namespace weir::fuzz {

// Ends when the parser has what it wants, or with the bytes, of which `step` come at a time.
template <class Parser>
net::ParseState read_in_pieces(Parser& parser, std::string_view bytes, std::size_t step) {
  std::string buffer;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    buffer += bytes.substr(at, step);
    for (;;) {
      const std::size_t used = parser.feed(buffer);
      WEIR_ASSERT(used <= buffer.size());
      buffer.erase(0, used);
      const net::ParseState state = parser.state();
      if (state == net::ParseState::done || state == net::ParseState::failed) return state;
      if (used == 0 || buffer.empty()) break;
    }
  }
  return parser.state();
}

}  // namespace weir::fuzz
