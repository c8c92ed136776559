// SPDX-License-Identifier: Apache-2.0
// A request, whole and in pieces: both readings agree, what is read obeys the limits, and a refused
// request stays refused.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "http_pieces.h"
#include "input.h"
#include "net/http_parser.h"

namespace {

using namespace weir::net;

constexpr RequestLimits kLimits{
    .header_bytes = 2048, .header_count = 20, .target_bytes = 256, .body_bytes = 4096};

}  // namespace

WEIR_FUZZ_TARGET(text) {
  RequestParser whole(kLimits);
  RequestParser pieces(kLimits);
  const ParseState state = weir::fuzz::read_in_pieces(whole, text,
                                                      std::max<std::size_t>(text.size(), 1));
  WEIR_ASSERT(weir::fuzz::read_in_pieces(pieces, text, 1 + text.size() % 7) == state);
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
