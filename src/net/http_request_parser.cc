// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include <boost/beast/http/basic_parser.hpp>
#include <fmt/format.h>

#include "base/assert.h"
#include "base/seeded_bug.h"
#include "base/text.h"
#include "net/body_reader.h"
#include "net/header_scan.h"
#include "net/http_parser.h"

namespace weir::net {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using beast::error_code;

std::string_view std_view(beast::string_view text) { return {text.data(), text.size()}; }

// Who it is, and what it is about: of two of these a proxy in front may have checked the other one.
bool comes_once(std::string_view name) {
  static constexpr std::string_view kOnce[] = {"authorization", "weir-token", "idempotency-key",
                                               "weir-effect", "weir-step"};
  return std::ranges::find(kOnce, name) != std::end(kOnce);
}

// Used for the head only.
class BeastRequest final : public http::basic_parser<true> {
 public:
  BeastRequest(const RequestLimits& limits, HttpRequest& into,
               std::optional<RequestRefusal>& refusal)
      : limits_(limits), into_(into), refusal_(refusal) {
    body_limit(boost::none);
    header_limit(static_cast<std::uint32_t>(limits.header_bytes));
  }

  bool http_11 = false;
  bool wants_continue = false;

  void refuse(Code code, std::string detail, int status = 0) {
    if (refusal_) return;
    refusal_ = RequestRefusal{Error{code, std::move(detail), ""},
                              status != 0 ? status : describe(code).http};
  }

 private:
  void fail(error_code& ec, Code code, std::string detail, int status = 0) {
    refuse(code, std::move(detail), status);
    ec = http::error::bad_field;
  }

  void on_request_impl(http::verb, beast::string_view method, beast::string_view target,
                       int version, error_code& ec) override {
    http_11 = version == 11;
    if (target.size() > limits_.target_bytes) {
      return fail(ec, Code::headers_too_large,
                  fmt::format("the request target is longer than {} bytes", limits_.target_bytes),
                  414);
    }
    into_.method = std_view(method);
    into_.target = std_view(target);
    take_origin_form(ec);
  }

  void on_response_impl(int, beast::string_view, int, error_code&) override {}

  // RFC 9112 section 3.2: absolute-form is reduced to its path, and must name the same host as Host
  // does; authority-form is for proxies only.
  void take_origin_form(error_code& ec) {
    const std::size_t scheme_end = into_.target.find("://");
    if (into_.target[0] != '/' && scheme_end != std::string::npos) {
      const std::string_view scheme = std::string_view(into_.target).substr(0, scheme_end);
      if (!equals_ignore_case(scheme, "http") && !equals_ignore_case(scheme, "https"))
        return fail(ec, Code::malformed_request, "the request target has an unknown scheme");
      const std::size_t end = std::min(into_.target.find_first_of("/?", scheme_end + 3),
                                       into_.target.size());
      authority_ = into_.target.substr(scheme_end + 3, end - scheme_end - 3);
      into_.target.erase(0, end);
      if (!into_.target.starts_with('/')) into_.target.insert(0, 1, '/');
    }
    const bool plain = std::ranges::all_of(into_.target,
                                           [](char c) { return c > ' ' && c < 0x7F && c != '#'; });
    if (!plain)
      return fail(ec, Code::malformed_request,
                  "the request target has characters that a URI has not");
    const bool asterisk = into_.target == "*" && into_.method == "OPTIONS";
    if (into_.target[0] != '/' && !asterisk) {
      return fail(ec, Code::malformed_request, "the request target must start with '/'");
    }
    const std::size_t question = std::min(into_.target.find('?'), into_.target.size());
    into_.path.assign(into_.target, 0, question);
    if (question < into_.target.size()) into_.query.assign(into_.target, question + 1);
  }

  void on_field_impl(http::field field, beast::string_view name, beast::string_view value,
                     error_code& ec) override {
    if (into_.headers.size() >= limits_.header_count) {
      return fail(ec, Code::headers_too_large,
                  fmt::format("more than {} header fields", limits_.header_count));
    }
    HttpHeader header{to_lower(std_view(name)), std::string(std_view(value))};
    if (comes_once(header.name) && into_.header(header.name) != nullptr) {
      return fail(
          ec, Code::malformed_request,
          fmt::format("more than one {} field: it is not clear which one counts", header.name));
    }
    into_.headers.push_back(std::move(header));
    check_framing(field, std_view(value), ec);
  }

  void check_framing(http::field field, std::string_view value, error_code& ec) {
    switch (field) {
      case http::field::content_length:
        if ((lengths_++ > 0 && !WEIR_SEEDED_BUG("http.second_length_accepted")) ||
            value.find_first_not_of("0123456789") != std::string_view::npos) {
          return fail(ec, Code::malformed_request, "Content-Length must be one number, given once");
        }
        return;
      case http::field::transfer_encoding:
        if (!http_11) return fail(ec, Code::malformed_request, "Transfer-Encoding needs HTTP/1.1");
        if (!equals_ignore_case(value, "chunked")) {
          return fail(ec, Code::malformed_request, "the only transfer coding here is 'chunked'",
                      501);
        }
        return;
      case http::field::host:
        if (hosts_++ > 0) return fail(ec, Code::malformed_request, "more than one Host field");
        if (value.find_first_of(" \t/\\@?#,") != std::string_view::npos)
          return fail(ec, Code::malformed_request, "the Host field has no host");
        host_ = value;
        return;
      case http::field::expect:
        if (!equals_ignore_case(value, "100-continue")) {
          return fail(ec, Code::malformed_request, "the only expectation here is '100-continue'",
                      417);
        }
        wants_continue = http_11;
        return;
      default: return;
    }
  }

  void on_header_impl(error_code& ec) override {
    if (http_11 && hosts_ == 0)
      return fail(ec, Code::malformed_request, "the Host field is missing");
    if (authority_ && hosts_ > 0 && !equals_ignore_case(*authority_, host_))
      return fail(ec, Code::malformed_request, "the request target and Host name different hosts");
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

  std::size_t on_body_impl(beast::string_view, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, error_code&) override {
    return 0;
  }
  void on_finish_impl(error_code&) override {}

  const RequestLimits& limits_;
  HttpRequest& into_;
  std::optional<RequestRefusal>& refusal_;
  int lengths_ = 0;
  int hosts_ = 0;
  std::string host_;
  std::optional<std::string> authority_;  // of a target in absolute form
};

std::string_view describe_scan(HeaderVerdict verdict) {
  switch (verdict) {
    case HeaderVerdict::bareLineFeed: return "a line ends without carriage return";
    case HeaderVerdict::bareReturn: return "a carriage return inside a line";
    case HeaderVerdict::nul: return "a NUL byte in the header";
    case HeaderVerdict::foldedLine: return "a header line is folded";
    default: return "";
  }
}

// In words for the client's author; the library's own are two words long.
std::string describe_error(const error_code& ec) {
  if (ec == http::error::bad_transfer_encoding)
    return "Transfer-Encoding is given twice, or together with Content-Length";
  if (ec == http::error::bad_content_length || ec == http::error::multiple_content_length)
    return "Content-Length must be one number, given once, and not with Transfer-Encoding";
  if (ec == http::error::bad_method) return "the request does not begin with a method";
  if (ec == http::error::bad_target) return "the request line has no target that can be read";
  if (ec == http::error::bad_version) return "the request line must end in HTTP/1.1 or HTTP/1.0";
  if (ec == http::error::bad_field) return "the name of a header field cannot be read";
  if (ec == http::error::bad_value) return "the value of a header field cannot be read";
  return fmt::format("the header cannot be read: {}", ec.message());
}

}  // namespace

struct RequestParser::Impl {
  explicit Impl(const RequestLimits& given) : limits(given) {
    parser.emplace(limits, request, refusal);
  }

  RequestLimits limits;
  HttpRequest request;
  std::optional<RequestRefusal> refusal;
  std::optional<BeastRequest> parser;
  HeaderScan scan;
  std::optional<BodyReader> body;  // from the end of the head on

  // Gives the parser the bytes; takes its error as refusal.
  std::size_t put(std::string_view bytes) {
    error_code ec;
    const std::size_t used = parser->put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
    if (!ec || ec == http::error::need_more) return used;
    parser->refuse(Code::malformed_request, describe_error(ec));
    return used;
  }

  std::size_t feed_head(std::string_view bytes) {
    const HeaderVerdict verdict = scan.scan(bytes.substr(0, limits.header_bytes + 1));
    const bool complete = verdict == HeaderVerdict::complete;
    if (complete && scan.size() <= limits.header_bytes) {
      const std::size_t used = put(bytes.substr(0, scan.size()));
      if (!refusal && !parser->is_header_done()) {
        parser->refuse(Code::malformed_request, "the header cannot be read");
      }
      if (!refusal) start_body();
      return used;
    }
    if (complete || (verdict == HeaderVerdict::incomplete && bytes.size() > limits.header_bytes)) {
      parser->refuse(Code::headers_too_large,
                     fmt::format("the header is larger than {} bytes", limits.header_bytes));
    } else if (verdict != HeaderVerdict::incomplete) {
      parser->refuse(Code::malformed_request, std::string(describe_scan(verdict)));
    }
    return 0;
  }

  void start_body() {
    constexpr std::uint64_t kReserveMax = 64 * 1024;  // memory follows arrival, not announcements
    const std::uint64_t length = parser->content_length().value_or(0);
    body.emplace(parser->chunked() ? BodyFraming::chunked : BodyFraming::length, length,
                 limits.body_bytes);
    check_body();
    if (!refusal) request.body.reserve(std::min(length, kReserveMax));
  }

  std::size_t feed_body(std::string_view bytes) {
    const std::size_t used = body->feed(bytes, request.body, limits.body_bytes);
    check_body();
    return used;
  }

  void check_body() {
    if (body->state() == BodyState::tooLarge) {
      parser->refuse(Code::body_too_large,
                     fmt::format("the body is larger than {} bytes", limits.body_bytes));
    } else if (body->state() == BodyState::malformed) {
      parser->refuse(Code::malformed_request, std::string(body->problem()));
    }
  }
};

RequestParser::RequestParser(const RequestLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::~RequestParser() = default;

std::size_t RequestParser::feed(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const ParseState now = state();
  if (now == ParseState::head) return impl_->feed_head(bytes);
  if (now == ParseState::body) return impl_->feed_body(bytes);
  return 0;
}

ParseState RequestParser::state() const {
  if (impl_->refusal) return ParseState::failed;
  if (!impl_->body) return ParseState::head;
  return impl_->body->state() == BodyState::done ? ParseState::done : ParseState::body;
}

bool RequestParser::wants_continue() const { return impl_->parser->wants_continue; }
bool RequestParser::keep_alive() const {
  // HTTP/1.0 would want to be told that the connection stays; it is not worth a second kind of
  // answer.
  return impl_->body && impl_->parser->http_11 && impl_->parser->keep_alive();
}
HttpRequest& RequestParser::request() { return impl_->request; }

const RequestRefusal& RequestParser::refusal() const {
  WEIR_ASSERT(impl_->refusal.has_value());
  return *impl_->refusal;
}

void RequestParser::restart() {
  impl_->request = HttpRequest{};
  impl_->refusal.reset();
  impl_->scan = HeaderScan{};
  impl_->body.reset();
  impl_->parser.emplace(impl_->limits, impl_->request, impl_->refusal);
}

}  // namespace weir::net
