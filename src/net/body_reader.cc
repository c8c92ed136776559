// SPDX-License-Identifier: Apache-2.0
#include "net/body_reader.h"

#include <algorithm>
#include <charconv>

#include "base/seeded_bug.h"
#include "base/text.h"

namespace weir::net {
namespace {

// Framing may cost this much beside the content it carries: one-byte chunks are honest, long lines
// around them are not.
constexpr std::uint64_t kOverheadFree = 64 * 1024;
constexpr std::uint64_t kOverheadPerByte = 8;
constexpr std::ptrdiff_t kChunkDigitsMax = 16;

bool is_token_char(char c) {
  const bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return alnum || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_text(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

// Fields about framing, routing or the request itself have no business after the content (RFC 9110
// section 6.5.1).
bool is_trailer(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view name = line.substr(0, colon);
  if (!std::ranges::all_of(name, is_token_char) || !is_text(line)) return false;
  return !equals_ignore_case(name, "content-length") &&
         !equals_ignore_case(name, "transfer-encoding") && !equals_ignore_case(name, "host");
}

}  // namespace

BodyReader::BodyReader(BodyFraming framing, std::uint64_t length, std::size_t limit)
    : framing_(framing), limit_(limit) {
  if (framing == BodyFraming::chunked) step_ = Step::sizeLine;
  if (framing != BodyFraming::length) return;
  left_ = length;
  if (length == 0) state_ = BodyState::done;
  if (length > limit) state_ = BodyState::tooLarge;
}

std::size_t BodyReader::refuse(std::string_view problem) {
  state_ = BodyState::malformed;
  problem_ = problem;
  return 0;
}

std::size_t BodyReader::feed(std::string_view bytes, std::string& out, std::size_t kept) {
  std::size_t used = 0;
  while (state_ == BodyState::more && used < bytes.size()) {
    const std::size_t step = read_step(bytes.substr(used), out, kept);
    used += step;
    if (step == 0) break;
  }
  return used;
}

std::size_t BodyReader::read_step(std::string_view bytes, std::string& out, std::size_t kept) {
  switch (step_) {
    case Step::sizeLine: return read_size_line(bytes);
    case Step::content: return read_content(bytes, out, kept);
    case Step::contentEnd: return read_content_end(bytes);
    case Step::trailer: return read_trailer_line(bytes);
  }
  return 0;
}

std::size_t BodyReader::read_content(std::string_view bytes, std::string& out, std::size_t kept) {
  const bool bounded = framing_ != BodyFraming::untilEnd;
  const std::size_t part = bounded ? std::min<std::uint64_t>(left_, bytes.size()) : bytes.size();
  if (part > limit_ - size_) {
    state_ = BodyState::tooLarge;
    return 0;
  }
  out.append(bytes.substr(0, std::min(part, kept - std::min(kept, out.size()))));
  size_ += part;
  if (!bounded) return part;
  left_ -= part;
  if (left_ > 0) return part;
  if (framing_ == BodyFraming::length) {
    state_ = BodyState::done;
  } else {
    step_ = Step::contentEnd;
  }
  return part;
}

// The line with its CRLF; false if it is not there yet or wrong.
bool BodyReader::take_line(std::string_view bytes, std::string_view& line) {
  const std::size_t feed = bytes.substr(0, kChunkLineMax + 1).find('\n');
  if (feed == std::string_view::npos) {
    if (bytes.size() > kChunkLineMax) refuse("a chunk line or trailer is too long");
    return false;
  }
  line = bytes.substr(0, feed + 1);
  const bool ended = line.ends_with("\r\n");
  if (!ended || !is_text(line.substr(0, line.size() - 2))) {
    refuse("a bad line in the chunk framing");
    return false;
  }
  overhead_ += line.size();
  if (overhead_ > kOverheadFree + kOverheadPerByte * size_) {
    refuse("far more chunk framing than content");
    return false;
  }
  return true;
}

std::size_t BodyReader::read_size_line(std::string_view bytes) {
  std::string_view line;
  if (!take_line(bytes, line)) return 0;
  const std::string_view text = line.substr(0, line.size() - 2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), left_, 16);
  // Leading zeros add nothing, but a parser that counts digits would overflow.
  if (end - text.data() > kChunkDigitsMax) return refuse("a bad chunk size");
  const std::string_view extension = text.substr(static_cast<std::size_t>(end - text.data()));
  if (error == std::errc::result_out_of_range) return refuse("a chunk size beyond 64 bits");
  if (error != std::errc{} ||
      (!extension.empty() && extension[0] != ';' && !WEIR_SEEDED_BUG("http.chunk_size_garbage")))
    return refuse("a bad chunk size");
  if (left_ > limit_ - size_) {
    state_ = BodyState::tooLarge;
    return 0;
  }
  step_ = left_ == 0 ? Step::trailer : Step::content;
  return line.size();
}

std::size_t BodyReader::read_content_end(std::string_view bytes) {
  if (bytes[0] != '\r') return refuse("a chunk is longer than its size");
  if (bytes.size() < 2) return 0;
  if (bytes[1] != '\n') return refuse("a chunk is longer than its size");
  step_ = Step::sizeLine;
  return 2;
}

std::size_t BodyReader::read_trailer_line(std::string_view bytes) {
  std::string_view line;
  if (!take_line(bytes, line)) return 0;
  trailer_size_ += line.size();
  if (line == "\r\n") {
    state_ = BodyState::done;
    return 2;
  }
  if (trailer_size_ > kChunkLineMax) return refuse("a chunk line or trailer is too long");
  if (!is_trailer(line.substr(0, line.size() - 2))) return refuse("a bad trailer");
  return line.size();
}

void BodyReader::finish() {
  if (framing_ == BodyFraming::untilEnd && state_ == BodyState::more) state_ = BodyState::done;
}

}  // namespace weir::net
