// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <optional>

#include <boost/beast/http/basic_parser.hpp>
#include <fmt/format.h>

#include "base/assert.h"
#include "base/text.h"
#include "net/http_parser.h"

namespace weir::net {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using beast::error_code;

std::string_view std_view(beast::string_view text) { return {text.data(), text.size()}; }

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
  if (std::from_chars(digits.data(), digits.data() + digits.size(), seconds).ec != std::errc{}) return std::nullopt;
  return std::chrono::seconds(std::min(seconds, 3600u));
}

class BeastAnswer final : public http::basic_parser<false> {
 public:
  BeastAnswer(const AnswerLimits& limits, Answer& into, std::optional<AnswerFailure>& failure)
      : limits_(limits), into_(into), failure_(failure) {
    body_limit(boost::none);
    header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    eager(true);
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

  void on_request_impl(http::verb, beast::string_view, beast::string_view, int, error_code&) override {}

  void on_response_impl(int code, beast::string_view, int, error_code& ec) override {
    if (code < 100 || code > 599) return fail(ec, Fault::malformedAnswer, fmt::format("status {}", code));
    into_.status = code;
  }

  void on_field_impl(http::field field, beast::string_view name, beast::string_view value, error_code& ec) override {
    if (head_done_) return;  // trailers carry nothing we use
    if (++fields_ > limits_.header_count) {
      return fail(ec, Fault::answerTooLarge, fmt::format("more than {} header fields", limits_.header_count));
    }
    into_.headers.emplace_back(to_lower(std_view(name)), std::string(std_view(value)));
    if (field == http::field::keep_alive) keep_alive_timeout = parse_keep_alive(std_view(value));
    if (field == http::field::transfer_encoding && !equals_ignore_case(std_view(value), "chunked")) {
      fail(ec, Fault::malformedAnswer, "a transfer coding other than 'chunked'");
    }
  }

  void on_header_impl(error_code& ec) override {
    head_done_ = true;
    const auto length = content_length();
    const bool has_length = length && *length > 0;
    if (into_.status == 204 && (has_length || chunked())) {
      return fail(ec, Fault::malformedAnswer, "a 204 that announces a body");
    }
    if (has_length && *length > limits_.body_bytes && into_.status != 304) return too_large(ec);
    const bool success = into_.status / 100 == 2;
    keep_ = success && !limits_.keep_success_body ? 0 : limits_.kept_bytes;
  }

  void too_large(error_code& ec) {
    fail(ec, Fault::answerTooLarge, fmt::format("the body is larger than {} bytes", limits_.body_bytes));
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

  std::size_t on_body_impl(beast::string_view part, error_code& ec) override {
    if (part.size() > limits_.body_bytes - body_bytes_) {
      too_large(ec);
      return 0;
    }
    body_bytes_ += part.size();
    const std::size_t room = keep_ - std::min(keep_, into_.body.size());
    into_.body.append(part.data(), std::min(room, part.size()));
    return part.size();
  }

  void on_chunk_header_impl(std::uint64_t size, beast::string_view, error_code& ec) override {
    if (size > limits_.body_bytes - body_bytes_) too_large(ec);
  }

  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view part, error_code& ec) override {
    return on_body_impl(part, ec);
  }

  void on_finish_impl(error_code&) override {}

  const AnswerLimits& limits_;
  Answer& into_;
  std::optional<AnswerFailure>& failure_;
  std::size_t fields_ = 0;
  std::size_t body_bytes_ = 0;
  std::size_t keep_ = 0;
  bool head_done_ = false;
};

}  // namespace

struct AnswerParser::Impl {
  explicit Impl(const AnswerLimits& given) : limits(given) { start_message(); }

  AnswerLimits limits;
  Answer answer;
  std::optional<AnswerFailure> failure;
  std::optional<BeastAnswer> parser;
  std::size_t interims = 0;
  std::size_t wire_bytes = 0;
  bool some = false;

  void start_message() {
    answer = Answer{};
    parser.emplace(limits, answer, failure);
  }

  bool is_interim() const { return parser->is_done() && answer.status / 100 == 1; }

  std::size_t put(std::string_view bytes) {
    error_code ec;
    const std::size_t used = parser->put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
    if (ec == http::error::header_limit) {
      parser->fail(Fault::answerTooLarge, fmt::format("the header is larger than {} bytes", limits.header_bytes));
    } else if (ec && ec != http::error::need_more) {
      parser->fail(Fault::malformedAnswer, ec.message());
    }
    return used;
  }

  void skip_interim() {
    if (answer.status == 101) {
      parser->fail(Fault::malformedAnswer, "the peer switched protocols");
    } else if (++interims > limits.interim_count) {
      parser->fail(Fault::malformedAnswer, fmt::format("more than {} interim answers", limits.interim_count));
    } else {
      start_message();
    }
  }

  // A body of one-byte chunks with long lines must not keep us busy for ever.
  void check_framing(std::size_t unused) {
    if (parser->is_done() || !parser->is_header_done()) return;
    const bool line_too_long = unused > kChunkLineMax;
    if (line_too_long || wire_bytes > limits.header_bytes + 8 * limits.body_bytes) {
      parser->fail(Fault::malformedAnswer, "far more chunk framing than content");
    }
  }
};

AnswerParser::AnswerParser(const AnswerLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
AnswerParser::~AnswerParser() = default;

std::size_t AnswerParser::feed(std::string_view bytes) {
  std::size_t used = 0;
  impl_->some = impl_->some || !bytes.empty();
  while (used < bytes.size() && state() != ParseState::done && state() != ParseState::failed) {
    const std::size_t step = impl_->put(bytes.substr(used));
    used += step;
    if (impl_->failure) return used;
    if (impl_->is_interim()) {
      impl_->skip_interim();
      continue;
    }
    if (step == 0) break;
  }
  impl_->wire_bytes += used;
  impl_->check_framing(bytes.size() - used);
  return used;
}

void AnswerParser::finish() {
  if (state() == ParseState::done || state() == ParseState::failed) return;
  error_code ec = http::error::partial_message;
  if (impl_->parser->got_some()) impl_->parser->put_eof(ec);
  if (!ec) return;
  impl_->parser->fail(Fault::connectionClosed, impl_->some ? "closed in the middle of the answer" : "closed without an answer");
}

void AnswerParser::refuse_surplus() {
  impl_->parser->fail(Fault::malformedAnswer, "more bytes than the answer announced");
}

ParseState AnswerParser::state() const {
  if (impl_->failure) return ParseState::failed;
  if (impl_->parser->is_done()) return ParseState::done;
  return impl_->parser->is_header_done() ? ParseState::body : ParseState::head;
}

bool AnswerParser::got_some() const { return impl_->some; }
Answer& AnswerParser::answer() { return impl_->answer; }

bool AnswerParser::keep_alive() const { return state() == ParseState::done && impl_->parser->keep_alive(); }
std::optional<Duration> AnswerParser::keep_alive_timeout() const { return impl_->parser->keep_alive_timeout; }

Fault AnswerParser::fault() const {
  WEIR_ASSERT(impl_->failure.has_value());
  return impl_->failure->fault;
}

const std::string& AnswerParser::failure() const {
  WEIR_ASSERT(impl_->failure.has_value());
  return impl_->failure->detail;
}

void AnswerParser::restart() {
  impl_->failure.reset();
  impl_->interims = 0;
  impl_->wire_bytes = 0;
  impl_->some = false;
  impl_->start_message();
}

}  // namespace weir::net
