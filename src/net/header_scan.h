// SPDX-License-Identifier: Apache-2.0
// Finds the end of a request's header block and refuses what parsers disagree about (RFC 9112
// sections 2.2 and 5.2): a line feed without carriage return, a carriage return without line feed,
// NUL, and folded lines. A request that two parsers read differently is how requests are smuggled,
// so none of these is repaired.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::net {

enum class HeaderVerdict : std::uint8_t {
  incomplete,
  complete,
  bareLineFeed,
  bareReturn,
  nul,
  foldedLine
};

// Incremental: every call gets the whole block so far and looks only at what is new.
class HeaderScan {
 public:
  HeaderVerdict scan(std::string_view block);
  // After `complete`: the size of the block including its empty line.
  std::size_t size() const { return position_; }

 private:
  std::size_t position_ = 0;  // everything before it is checked
  std::size_t line_start_ = 0;
};

}  // namespace weir::net
