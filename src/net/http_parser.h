// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 parsers without I/O (RFC 9112): bytes in, messages out. Beast reads the heads; what
// Beast 1.81 lets pass and we do not is refused here: folded lines, repeated Content-Length, other
// transfer codings than `chunked`, a missing or repeated Host, too many fields. Content is read by
// BodyReader.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "model/outcome.h"
#include "net/http_message.h"

namespace weir::net {

enum class ParseState : std::uint8_t { head, body, done, failed };

struct RequestLimits {
  std::size_t header_bytes = 16 * 1024;  // request line, fields and empty line
  std::size_t header_count = 100;
  std::size_t target_bytes = 8 * 1024;
  std::size_t body_bytes = 8 * 1024 * 1024;
};

// Why a request was refused, ready to be answered. The connection must be closed after any failure.
struct RequestRefusal {
  Error error;
  int status = 400;
};

class RequestParser {
 public:
  explicit RequestParser(const RequestLimits& limits);
  ~RequestParser();

  // Consumes from the front of `bytes` and says how much. Call again with the rest plus what came
  // meanwhile. Returns after the head, so that the caller can look at it before the body is read.
  // Sizes are judged by what the head announces, before any of it is buffered.
  std::size_t feed(std::string_view bytes);
  ParseState state() const;
  // The peer asked for "100 Continue" before it sends its body.
  bool wants_continue() const;
  // After the head.
  bool keep_alive() const;
  // state() == done: the message. Valid until restart(); may be moved from.
  HttpRequest& request();
  // state() == failed.
  const RequestRefusal& refusal() const;
  // Ready for the next message of the connection.
  void restart();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct AnswerLimits {
  std::size_t header_bytes = 16 * 1024;
  std::size_t header_count = 64;
  std::size_t body_bytes = 1024 * 1024;      // read at most; more is Fault::answerTooLarge
  std::size_t kept_bytes = kOutcomeBodyMax;  // of the body; the rest is counted and dropped
  bool keep_success_body = false;            // 2xx bodies are of no interest to deliveries
  bool leave_out_large = false;              // instead of a fault: Answer::body_left_out
  std::size_t interim_count = 8;             // 1xx answers
};

struct Answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names lower case
  std::string body;
  bool body_left_out = false;  // larger than body_bytes: it is not read, and the connection is over
};

// The client's side: answers are untrusted, everything is capped, nothing is repaired.
class AnswerParser {
 public:
  explicit AnswerParser(const AnswerLimits& limits);
  ~AnswerParser();

  // As RequestParser::feed(), but goes on to the end of the message; interim (1xx) answers are
  // swallowed.
  std::size_t feed(std::string_view bytes);
  // The peer closed: ends an answer that is delimited by it, fails any other.
  // Fault::connectionClosed then.
  void finish();
  // Bytes beyond the end of the answer: the framing is wrong. Fails a done answer.
  void refuse_surplus();
  ParseState state() const;
  bool got_some() const;
  // state() == done.
  Answer& answer();
  bool keep_alive() const;
  // "Keep-Alive: timeout=5", if the peer said so.
  std::optional<Duration> keep_alive_timeout() const;
  // state() == failed.
  Fault fault() const;
  const std::string& failure() const;
  // `to_head`: the next answer is one to HEAD, which has no content whatever it announces.
  void restart(bool to_head = false);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::net
