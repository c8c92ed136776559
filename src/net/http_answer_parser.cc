// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <optional>

#include <boost/beast/http/basic_parser.hpp>
#include <fmt/format.h>

#include "base/assert.h"
#include "base/text.h"
#include "net/body_reader.h"
#include "net/http_parser.h"

namespace weir::net {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using beast::error_code;

std::string_view as_view(beast::string_view text) { return {text.data(), text.size()}; }

struct AnswerFailure {
  Fault fault = Fault::malformedAnswer;
  std::string detail;
};

// Parameter "timeout" of a Keep-Alive field, in seconds.
std::optional<Duration> parse_keep_alive(std::string_view value) {
  const std::size_t found = value.find("timeout=");
  if (found == std::string_view::npos) return std::nullopt;
  const std::string_view digits = value.substr(found + 8);
  unsigned seconds = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), seconds).ec != std::errc{})
    return std::nullopt;
  return std::chrono::seconds(std::min(seconds, 3600u));
}

// Used for the head only.
class BeastAnswer final : public http::basic_parser<false> {
 public:
  BeastAnswer(const AnswerLimits& limits, Answer& into, std::optional<AnswerFailure>& failure)
      : limits_(limits), into_(into), failure_(failure) {
    body_limit(boost::none);
    header_limit(static_cast<std::uint32_t>(limits.header_bytes));
  }

  std::optional<Duration> keep_alive_timeout;

  void fail(Fault fault, std::string detail) {
    if (!failure_) failure_ = AnswerFailure{fault, std::move(detail)};
  }

 private:
  void fail(error_code& ec, Fault fault, std::string detail) {
    fail(fault, std::move(detail));
    ec = http::error::bad_field;
  }

  void on_request_impl(http::verb, beast::string_view, beast::string_view, int,
                       error_code&) override {}

  void on_response_impl(int code, beast::string_view, int, error_code& ec) override {
    if (code < 100 || code > 599)
      return fail(ec, Fault::malformedAnswer, fmt::format("status {}", code));
    into_.status = code;
  }

  void on_field_impl(http::field field, beast::string_view name, beast::string_view value,
                     error_code& ec) override {
    if (++fields_ > limits_.header_count) {
      return fail(ec, Fault::answerTooLarge,
                  fmt::format("more than {} header fields", limits_.header_count));
    }
    into_.headers.emplace_back(to_lower(as_view(name)), std::string(as_view(value)));
    if (field == http::field::keep_alive) keep_alive_timeout = parse_keep_alive(as_view(value));
    if (field == http::field::transfer_encoding && !equals_ignore_case(as_view(value), "chunked")) {
      fail(ec, Fault::malformedAnswer, "a transfer coding other than 'chunked'");
    }
  }

  void on_header_impl(error_code& ec) override {
    const auto length = content_length();
    if (into_.status == 204 && ((length && *length > 0) || chunked())) {
      fail(ec, Fault::malformedAnswer, "a 204 that announces a body");
    }
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

  std::size_t on_body_impl(beast::string_view, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, error_code&) override {
    return 0;
  }
  void on_finish_impl(error_code&) override {}

  const AnswerLimits& limits_;
  Answer& into_;
  std::optional<AnswerFailure>& failure_;
  std::size_t fields_ = 0;
};

}  // namespace

struct AnswerParser::Impl {
  explicit Impl(const AnswerLimits& given) : limits(given) { start_message(); }

  AnswerLimits limits;
  Answer answer;
  std::optional<AnswerFailure> failure;
  std::optional<BeastAnswer> parser;
  std::optional<BodyReader> body;  // from the end of a final head on
  std::size_t interims = 0;
  std::size_t head_bytes = 0;  // of this message, read
  bool some = false;
  bool to_head = false;

  void start_message() {
    answer = Answer{};
    body.reset();
    head_bytes = 0;
    parser.emplace(limits, answer, failure);
  }

  // Beast looks for the end of the head before it looks at the beginning.
  bool starts_like_http(std::string_view bytes) const {
    constexpr std::string_view kStart = "HTTP/1.";
    const bool status_line_pending = answer.status == 0;
    return !status_line_pending || bytes.substr(0, kStart.size()) == kStart.substr(0, bytes.size());
  }

  std::size_t feed_head(std::string_view bytes) {
    if (!starts_like_http(bytes)) {
      parser->fail(Fault::malformedAnswer, "not HTTP/1");
      return 0;
    }
    error_code ec;
    const std::size_t used = parser->put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
    head_bytes += used;
    // Beast lets a head that comes as a whole be larger by its first line.
    const bool large = parser->is_header_done() && head_bytes > limits.header_bytes;
    if (ec == http::error::header_limit || large) {
      parser->fail(Fault::answerTooLarge,
                   fmt::format("the header is larger than {} bytes", limits.header_bytes));
    } else if (ec && ec != http::error::need_more) {
      parser->fail(Fault::malformedAnswer, ec.message());
    }
    if (failure || !parser->is_header_done()) return used;
    if (answer.status / 100 == 1) {
      skip_interim();
    } else {
      start_body();
    }
    return used;
  }

  void skip_interim() {
    if (answer.status == 101) {
      parser->fail(Fault::malformedAnswer, "the peer switched protocols");
    } else if (++interims > limits.interim_count) {
      parser->fail(Fault::malformedAnswer,
                   fmt::format("more than {} interim answers", limits.interim_count));
    } else {
      start_message();
    }
  }

  // RFC 9112 section 6.3, for answers to anything but CONNECT.
  void start_body() {
    if (to_head || answer.status == 204 || answer.status == 304) {
      body.emplace(BodyFraming::length, 0, limits.body_bytes);
    } else if (parser->chunked()) {
      body.emplace(BodyFraming::chunked, 0, limits.body_bytes);
    } else if (const auto length = parser->content_length()) {
      body.emplace(BodyFraming::length, *length, limits.body_bytes);
    } else {
      body.emplace(BodyFraming::untilEnd, 0, limits.body_bytes);
    }
    check_body();
  }

  std::size_t feed_body(std::string_view bytes) {
    const bool wanted = limits.keep_success_body || answer.status / 100 != 2;
    const std::size_t used = body->feed(bytes, answer.body, wanted ? limits.kept_bytes : 0);
    check_body();
    return used;
  }

  void check_body() {
    if (body->state() == BodyState::tooLarge && limits.leave_out_large) {
      answer.body = {};
      answer.body_left_out = true;
    } else if (body->state() == BodyState::tooLarge) {
      parser->fail(Fault::answerTooLarge,
                   fmt::format("the body is larger than {} bytes", limits.body_bytes));
    } else if (body->state() == BodyState::malformed) {
      parser->fail(Fault::malformedAnswer, std::string(body->problem()));
    }
  }
};

AnswerParser::AnswerParser(const AnswerLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
AnswerParser::~AnswerParser() = default;

std::size_t AnswerParser::feed(std::string_view bytes) {
  std::size_t used = 0;
  impl_->some = impl_->some || !bytes.empty();
  while (used < bytes.size() && (state() == ParseState::head || state() == ParseState::body)) {
    const std::string_view rest = bytes.substr(used);
    const std::size_t step = impl_->body ? impl_->feed_body(rest) : impl_->feed_head(rest);
    used += step;
    if (step == 0) break;
  }
  return used;
}

void AnswerParser::finish() {
  if (state() == ParseState::done || state() == ParseState::failed) return;
  if (impl_->body) impl_->body->finish();
  if (state() == ParseState::done) return;
  impl_->parser->fail(Fault::connectionClosed, impl_->some ? "closed in the middle of the answer"
                                                           : "closed without an answer");
}

void AnswerParser::refuse_surplus() {
  impl_->parser->fail(Fault::malformedAnswer, "more bytes than the answer announced");
}

ParseState AnswerParser::state() const {
  if (impl_->failure) return ParseState::failed;
  if (!impl_->body) return ParseState::head;
  if (impl_->answer.body_left_out) return ParseState::done;
  return impl_->body->state() == BodyState::done ? ParseState::done : ParseState::body;
}

bool AnswerParser::got_some() const { return impl_->some; }
Answer& AnswerParser::answer() { return impl_->answer; }

bool AnswerParser::keep_alive() const {
  return state() == ParseState::done && !impl_->answer.body_left_out && impl_->parser->keep_alive();
}
std::optional<Duration> AnswerParser::keep_alive_timeout() const {
  return impl_->parser->keep_alive_timeout;
}

Fault AnswerParser::fault() const {
  WEIR_ASSERT(impl_->failure.has_value());
  return impl_->failure->fault;
}

const std::string& AnswerParser::failure() const {
  WEIR_ASSERT(impl_->failure.has_value());
  return impl_->failure->detail;
}

void AnswerParser::restart(bool to_head) {
  impl_->to_head = to_head;
  impl_->failure.reset();
  impl_->interims = 0;
  impl_->some = false;
  impl_->start_message();
}

}  // namespace weir::net
