// SPDX-License-Identifier: Apache-2.0
// Reads the content of a message after its head (RFC 9112 sections 6 and 7), for both parsers.
// Chunks are read here and not by Beast: its 1.81 asserts when a last chunk arrives in pieces, and
// interprets framing fields in trailers. Strict: CRLF only, no blanks around sizes, extensions
// without control characters, trailers checked and dropped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::net {

enum class BodyFraming : std::uint8_t { length, chunked, untilEnd };

enum class BodyState : std::uint8_t {
  more,
  done,
  tooLarge,   // above the limit; known as soon as a size announces it
  malformed,  // see problem()
};

// A chunk line, and a whole trailer section, may take this much.
inline constexpr std::size_t kChunkLineMax = 4096;

class BodyReader {
 public:
  // `length` counts with BodyFraming::length only.
  BodyReader(BodyFraming framing, std::uint64_t length, std::size_t limit);

  // Consumes from the front and says how much; content goes to the end of `out` until that has
  // `kept` bytes.
  std::size_t feed(std::string_view bytes, std::string& out, std::size_t kept);
  // The peer closed in order: the end of a body that lasts until then.
  void finish();
  BodyState state() const { return state_; }
  std::string_view problem() const { return problem_; }
  // Content so far, kept or not.
  std::uint64_t size() const { return size_; }

 private:
  enum class Step : std::uint8_t { sizeLine, content, contentEnd, trailer };
  std::size_t read_content(std::string_view bytes, std::string& out, std::size_t kept);
  std::size_t read_step(std::string_view bytes, std::string& out, std::size_t kept);
  std::size_t read_size_line(std::string_view bytes);
  std::size_t read_content_end(std::string_view bytes);
  std::size_t read_trailer_line(std::string_view bytes);
  bool take_line(std::string_view bytes, std::string_view& line);
  std::size_t refuse(std::string_view problem);

  BodyFraming framing_;
  std::size_t limit_;
  std::uint64_t left_ = 0;  // of the content or of the chunk
  std::uint64_t size_ = 0;
  std::uint64_t overhead_ = 0;  // bytes of framing
  std::size_t trailer_size_ = 0;
  Step step_ = Step::content;
  BodyState state_ = BodyState::more;
  std::string_view problem_;
};

}  // namespace weir::net
