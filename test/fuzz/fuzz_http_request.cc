// SPDX-License-Identifier: Apache-2.0
// A request, whole and in pieces: both readings agree, what is read obeys the limits, and a refused
// request stays refused.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "input.h"
#include "net/http_parser.h"

namespace {

using namespace weir::net;

constexpr RequestLimits kLimits{
    .header_bytes = 2048, .header_count = 20, .target_bytes = 256, .body_bytes = 4096};

// As a connection does it: what was not used is offered again with what comes next.
ParseState read(RequestParser& parser, std::string_view bytes, std::size_t step) {
  std::string buffer;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    buffer += bytes.substr(at, step);
    for (;;) {
      const std::size_t used = parser.feed(buffer);
      WEIR_ASSERT(used <= buffer.size());
      buffer.erase(0, used);
      const ParseState state = parser.state();
      if (state == ParseState::done || state == ParseState::failed) return state;
      if (used == 0 || buffer.empty()) break;
    }
  }
  return parser.state();
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  RequestParser whole(kLimits);
  RequestParser pieces(kLimits);
  const ParseState state = read(whole, text, std::max<std::size_t>(text.size(), 1));
  WEIR_ASSERT(read(pieces, text, 1 + text.size() % 7) == state);
  if (state == ParseState::failed) {
    WEIR_ASSERT(whole.refusal().status >= 400);
    WEIR_ASSERT(whole.feed(text) == 0 && whole.state() == ParseState::failed);
  }
  if (state != ParseState::done) return;
  const HttpRequest& request = whole.request();
  WEIR_ASSERT(request.body == pieces.request().body && request.headers == pieces.request().headers);
  WEIR_ASSERT(request.target == pieces.request().target);
  WEIR_ASSERT(request.body.size() <= kLimits.body_bytes);
  WEIR_ASSERT(request.headers.size() <= kLimits.header_count);
  WEIR_ASSERT(request.target.size() <= kLimits.target_bytes + 1);
  WEIR_ASSERT(request.target.starts_with('/') || request.target == "*");
}
