// SPDX-License-Identifier: Apache-2.0
#include "net/header_scan.h"

#include "base/seeded_bug.h"

namespace weir::net {
namespace {

// A complete line without its CRLF, or the unfinished rest of the block.
HeaderVerdict check_line(std::string_view line) {
  if (line.find('\r') != std::string_view::npos) return HeaderVerdict::bareReturn;
  if (line.find('\0') != std::string_view::npos) return HeaderVerdict::nul;
  if (WEIR_SEEDED_BUG("http.folded_line_accepted")) return HeaderVerdict::complete;
  if (!line.empty() && (line[0] == ' ' || line[0] == '\t')) return HeaderVerdict::foldedLine;
  return HeaderVerdict::complete;
}

}  // namespace

HeaderVerdict HeaderScan::scan(std::string_view block) {
  while (position_ < block.size()) {
    const std::size_t feed = block.find('\n', position_);
    if (feed == std::string_view::npos) {
      position_ = block.size();
      return HeaderVerdict::incomplete;
    }
    position_ = feed + 1;
    if (feed == line_start_ || block[feed - 1] != '\r') return HeaderVerdict::bareLineFeed;
    const std::string_view line = block.substr(line_start_, feed - 1 - line_start_);
    const bool is_first = line_start_ == 0;
    line_start_ = position_;
    if (line.empty() && !is_first) return HeaderVerdict::complete;
    const HeaderVerdict verdict = check_line(line);
    if (verdict != HeaderVerdict::complete) return verdict;
  }
  return HeaderVerdict::incomplete;
}

}  // namespace weir::net
