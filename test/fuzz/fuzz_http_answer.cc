// SPDX-License-Identifier: Apache-2.0
// A handler's answer, whole and in pieces: both readings agree, what is kept obeys the limits, and
// a failed answer says how and stays failed. The first byte chooses the limits and the peer's end.
#include <string>

#include "base/assert.h"
#include "http_pieces.h"
#include "input.h"
#include "net/http_parser.h"

namespace {

using namespace weir::net;

AnswerLimits limits_of(std::uint8_t choice) {
  AnswerLimits limits{.header_bytes = 2048, .header_count = 20, .body_bytes = 4096};
  limits.kept_bytes = 512;
  limits.keep_success_body = (choice & 1) != 0;
  limits.interim_count = 2;
  return limits;
}

ParseState read(AnswerParser& parser, std::string_view bytes, std::size_t step, bool closes) {
  const ParseState state = weir::fuzz::read_in_pieces(parser, bytes, step);
  if (closes && state != ParseState::done && state != ParseState::failed) parser.finish();
  return parser.state();
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  const std::uint8_t choice = weir::fuzz::take_byte(text);
  const AnswerLimits limits = limits_of(choice);
  const bool closes = (choice & 2) != 0;
  AnswerParser whole(limits);
  AnswerParser pieces(limits);
  whole.restart((choice & 4) != 0);
  pieces.restart((choice & 4) != 0);
  const ParseState state = read(whole, text, std::max<std::size_t>(text.size(), 1), closes);
  const ParseState in_pieces = read(pieces, text, 1 + text.size() % 7, closes);
  // Beast looks at a head that comes in pieces when it is complete, at a whole one at once: of a
  // bad head that never ends it may still wait for the rest.
  if (state == ParseState::failed && in_pieces == ParseState::head) return;
  WEIR_ASSERT(in_pieces == state);
  if (state == ParseState::failed) {
    WEIR_ASSERT(whole.fault() != weir::Fault::none && !whole.failure().empty());
    WEIR_ASSERT(pieces.fault() != weir::Fault::none);  // one that is bad twice may say either
    WEIR_ASSERT(whole.feed(text) == 0 && whole.state() == ParseState::failed);
  }
  if (state != ParseState::done) return;
  const Answer& answer = whole.answer();
  WEIR_ASSERT(answer.status >= 200 && answer.status <= 999);
  WEIR_ASSERT(answer.status == pieces.answer().status);
  WEIR_ASSERT(answer.headers == pieces.answer().headers && answer.body == pieces.answer().body);
  WEIR_ASSERT(answer.body.size() <= limits.kept_bytes);
  WEIR_ASSERT(answer.headers.size() <= limits.header_count);
  WEIR_ASSERT(whole.keep_alive() == pieces.keep_alive());
  const auto patience = whole.keep_alive_timeout();
  WEIR_ASSERT(!patience || *patience >= weir::Duration{0});
}
