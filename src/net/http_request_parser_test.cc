// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <rapidcheck.h>

#include "base/text.h"
#include "net/http_parser.h"

namespace weir::net {
namespace {

// Feeds `bytes` in pieces of `step`, as a connection does: what was not consumed is offered again.
ParseState feed_all(RequestParser& parser, std::string_view bytes, std::size_t step) {
  std::string buffer;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    buffer += bytes.substr(at, step);
    while (true) {
      const std::size_t used = parser.feed(buffer);
      buffer.erase(0, used);
      if (parser.state() == ParseState::failed || parser.state() == ParseState::done)
        return parser.state();
      if (used == 0 || buffer.empty()) break;
    }
  }
  return parser.state();
}

constexpr const char* kHead = "POST /x HTTP/1.1\r\nHost: a\r\n";

struct Bad {
  const char* name;
  std::string request;
  int status;
};

std::vector<Bad> bad_framing() {
  const std::string head = kHead;
  return {
      {"length and chunked",
       head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"chunked and length",
       head + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400},
      {"two equal lengths", head + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400},
      {"two lengths", head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
      {"a list of lengths", head + "Content-Length: 1, 1\r\n\r\na", 400},
      {"a signed length", head + "Content-Length: +1\r\n\r\na", 400},
      {"a negative length", head + "Content-Length: -1\r\n\r\na", 400},
      {"a hexadecimal length", head + "Content-Length: 0x1\r\n\r\na", 400},
      {"an empty length", head + "Content-Length:\r\n\r\na", 400},
      {"a length beyond 64 bits", head + "Content-Length: 18446744073709551617\r\n\r\na", 400},
      {"bare line feeds", "POST /x HTTP/1.1\nHost: a\n\n", 400},
      {"one bare line feed", "POST /x HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400},
      {"a bare line feed at the end", "POST /x HTTP/1.1\r\nHost: a\r\n\n", 400},
      {"a bare carriage return", "POST /x HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", 400},
      {"a folded line", head + "X: a\r\n b\r\n\r\n", 400},
      {"a line folded with a tab", head + "X: a\r\n\tb\r\n\r\n", 400},
      {"a folded first field", "POST /x HTTP/1.1\r\n Host: a\r\n\r\n", 400},
      {"a blank before the colon", head + "Content-Length : 1\r\n\r\na", 400},
      {"a field without name", head + ": x\r\n\r\n", 400},
      {"a field without colon", head + "nothing\r\n\r\n", 400},
      {"NUL in a value", head + std::string("X: a\0b\r\n\r\n", 10), 400},
      {"a control character", head + "X: a\x01\r\n\r\n", 400},
      {"an unknown coding", head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
      {"identity", head + "Transfer-Encoding: identity\r\n\r\n", 501},
      {"two codings", head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"chunked, then identity", head + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
       501},
      {"chunked twice",
       head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"chunked and an empty coding",
       head + "Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n", 400},
      {"chunked with a parameter", head + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", 501},
      {"a coding in quotes", head + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 501},
      {"a list with an empty member", head + "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", 501},
      {"a coding after a vertical tab",
       head + "Transfer-Encoding: \x0b"
              "chunked\r\n\r\n0\r\n\r\n",
       400},
      {"a blank before the colon of a coding",
       head + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
      {"a tab before the colon of a coding", head + "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
       400},
      {"a blank inside a length", head + "Content-Length: 1 1\r\n\r\na", 400},
      {"two lengths in one field", head + "Content-Length: 1, 2\r\n\r\nab", 400},
      {"a length with a fraction", head + "Content-Length: 1.0\r\n\r\na", 400},
      {"chunked in HTTP/1.0", "POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400},
  };
}

std::vector<Bad> bad_lines() {
  const std::string head = kHead;
  return {
      {"no host", "GET /x HTTP/1.1\r\n\r\n", 400},
      {"two hosts", "GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"a host with a path", "GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"two hosts in one field", "GET /x HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
      {"a host with a user", "GET /x HTTP/1.1\r\nHost: b@a\r\n\r\n", 400},
      {"a blank in the host", "GET /x HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"another host in the target", "GET http://b/p HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"another port in the target", "GET http://a:81/p HTTP/1.1\r\nHost: a:80\r\n\r\n", 400},
      {"a user in the target", "GET http://u@a/p HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"another scheme in the target", "GET gopher://a/p HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a fragment in the target", "GET /x#y HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"two blanks before the target", "GET  /x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"two blanks before the version", "GET /x  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a tab before the target", "GET\t/x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a blank after the version", "GET /x HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
      {"a blank before the method", " GET /x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a minor version of two digits", "GET /x HTTP/1.10\r\nHost: a\r\n\r\n", 400},
      {"version 1.2", "GET /x HTTP/1.2\r\nHost: a\r\n\r\n", 400},
      {"version 0.9", "GET /x HTTP/0.9\r\nHost: a\r\n\r\n", 400},
      {"a version in lower case", "GET /x http/1.1\r\nHost: a\r\n\r\n", 400},
      {"a bad method", "G(T /x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a control character in the target", "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a byte beyond ASCII in the target", "GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"another version", "GET /x HTTP/2.0\r\nHost: a\r\n\r\n", 400},
      {"no version", "GET /x\r\nHost: a\r\n\r\n", 400},
      {"a blank in the target", "GET /x y HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a target without slash", "GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"an authority as target", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"TLS on the plain port",
       std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15), 400},
      {"another expectation", head + "Expect: tea\r\nContent-Length: 1\r\n\r\n", 417},
  };
}

std::vector<Bad> bad_chunks() {
  const std::string head = kHead;
  return {
      {"a chunk size that is none", head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"a signed chunk size", head + "Transfer-Encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n", 400},
      {"a chunk size with prefix", head + "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
       400},
      {"a chunk size beyond 64 bits",
       head + "Transfer-Encoding: chunked\r\n\r\n10000000000000001\r\na\r\n0\r\n\r\n", 400},
      {"a chunk longer than said", head + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
       400},
      {"a chunk line ended by a bare line feed",
       head + "Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n", 400},
      {"a bad chunk extension",
       head + "Transfer-Encoding: chunked\r\n\r\n1;\x01=2\r\na\r\n0\r\n\r\n", 400},
      {"a bare line feed in a chunk extension",
       head + "Transfer-Encoding: chunked\r\n\r\n1;a\nb\r\na\r\n0\r\n\r\n", 400},
      {"an endless chunk line",
       head + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(5000, 'x'), 400},
      {"an endless trailer",
       head + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(5000, 'x'), 400},
      {"a chunk size with many zeros",
       head + "Transfer-Encoding: chunked\r\n\r\n" + std::string(17, '0') + "1\r\na\r\n0\r\n\r\n",
       400},
      {"an empty chunk size", head + "Transfer-Encoding: chunked\r\n\r\n\r\na\r\n0\r\n\r\n", 400},
      {"a blank before a chunk size",
       head + "Transfer-Encoding: chunked\r\n\r\n 1\r\na\r\n0\r\n\r\n", 400},
      {"a blank after a chunk size",
       head + "Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n", 400},
      {"a chunk size with a blank before its extension",
       head + "Transfer-Encoding: chunked\r\n\r\n1 ;a\r\na\r\n0\r\n\r\n", 400},
      {"a bare return in a chunk extension",
       head + "Transfer-Encoding: chunked\r\n\r\n1;a\rb\r\na\r\n0\r\n\r\n", 400},
      {"NUL in a chunk extension",
       head + std::string("Transfer-Encoding: chunked\r\n\r\n1;\0\r\na\r\n0\r\n\r\n", 43), 400},
      {"a negative chunk size", head + "Transfer-Encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n",
       400},
      {"a coding in the trailer",
       head + "Transfer-Encoding: chunked\r\n\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
      {"a folded trailer", head + "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n c\r\n\r\n", 400},
      {"a length in the trailer",
       head + "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 3\r\n\r\n", 400},
  };
}

TEST_CASE("what two parsers could read differently is refused, however it arrives") {
  std::vector<Bad> all = bad_framing();
  for (const auto& more : {bad_lines(), bad_chunks()})
    all.insert(all.end(), more.begin(), more.end());
  for (const Bad& bad : all) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bad.request.size()}) {
      INFO(std::string(bad.name));
      CAPTURE(step);
      RequestParser parser({});
      REQUIRE(feed_all(parser, bad.request, step) == ParseState::failed);
      CHECK(parser.refusal().status == bad.status);
      CHECK_FALSE(parser.refusal().error.detail.empty());
    }
  }
}

TEST_CASE("a request is read the same in any pieces") {
  const std::string request =
      "POST /v1/streams/github/events?x=%20y HTTP/1.1\r\nHost: a\r\nContent-Type:  "
      "application/json \r\nce-ID: 7\r\n"
      "Transfer-Encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n";
  rc::check("any step", [&] {
    const std::size_t step = *rc::gen::inRange<std::size_t>(1, request.size() + 1);
    RequestParser parser({});
    RC_ASSERT(feed_all(parser, request, step) == ParseState::done);
    const HttpRequest& read = parser.request();
    RC_ASSERT(read.method == "POST");
    RC_ASSERT(read.path == "/v1/streams/github/events");
    RC_ASSERT(read.query == "x=%20y");
    RC_ASSERT(read.body == "abc0123456789");
    RC_ASSERT(read.headers.size() == 4u);  // the trailer is not among them
    RC_ASSERT(*read.header("CONTENT-TYPE") == "application/json");
    RC_ASSERT(read.headers[2] == (HttpHeader{"ce-id", "7"}));
    RC_ASSERT(parser.keep_alive());
  });
}

TEST_CASE("random bytes never get through and never hurt") {
  rc::check("garbage", [](const std::string& garbage) {
    RequestParser parser({});
    RC_ASSERT(feed_all(parser, garbage, 3) != ParseState::done);
  });
  rc::check("one changed byte", [] {
    std::string request = std::string(kHead) + "Content-Length: 3\r\nX: y\r\n\r\nabc";
    const auto at = *rc::gen::inRange<std::size_t>(0, request.size());
    request[at] = *rc::gen::arbitrary<char>();
    RequestParser parser({});
    feed_all(parser, request, request.size());
    if (parser.state() == ParseState::done) RC_ASSERT(parser.request().body.size() <= 9u);
  });
}

TEST_CASE("fields that say who it is, or what it is about, come once") {
  for (const std::string name :
       {"Authorization", "Weir-Token", "Idempotency-Key", "Weir-Effect", "Weir-Step"}) {
    CAPTURE(name);
    const auto state = [&](const std::string& second) {
      RequestParser parser({});
      const ParseState read = feed_all(
          parser, fmt::format("{}{}: a\r\nX: y\r\n{}: b\r\n\r\n", kHead, name, second), 7);
      if (read == ParseState::failed) {
        CHECK(parser.refusal().status == 400);
        CHECK(parser.refusal().error.code == Code::malformed_request);
        CHECK(parser.refusal().error.detail.contains(to_lower(name)));
      }
      return read;
    };
    CHECK(state("Accept") != ParseState::failed);
    CHECK(state(name) == ParseState::failed);
    CHECK(state(to_lower(name)) == ParseState::failed);
  }
}

TEST_CASE("targets") {
  RequestParser absolute({});
  REQUIRE(feed_all(absolute, "GET http://A/p?q HTTP/1.1\r\nHost: a\r\n\r\n", 99) ==
          ParseState::done);
  CHECK(absolute.request().target == "/p?q");
  RequestParser bare({});
  REQUIRE(feed_all(bare, "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", 99) == ParseState::done);
  CHECK(bare.request().path == "/");
  RequestParser star({});
  REQUIRE(feed_all(star, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 99) == ParseState::done);
  CHECK(star.request().path == "*");
}

TEST_CASE("limits hold to the byte") {
  RequestLimits limits;
  limits.header_bytes = 400;
  limits.header_count = 5;
  limits.target_bytes = 50;
  limits.body_bytes = 10;
  const auto status_of = [&](const std::string& request) {
    RequestParser parser(limits);
    const ParseState state = feed_all(parser, request, 11);
    return state == ParseState::failed ? parser.refusal().status
                                       : (state == ParseState::done ? 200 : 0);
  };
  const auto padded = [](std::size_t size) {
    const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
  };
  CHECK(status_of(padded(400)) == 200);
  CHECK(status_of(padded(401)) == 431);
  CHECK(status_of(std::string(402, 'G')) == 431);  // before its end is seen
  const auto fields = [](int count) {
    std::string request = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 1; i < count; ++i) request += "X: y\r\n";
    return request + "\r\n";
  };
  CHECK(status_of(fields(5)) == 200);
  CHECK(status_of(fields(6)) == 431);
  CHECK(status_of("GET /" + std::string(49, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n") == 200);
  CHECK(status_of("GET /" + std::string(50, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n") == 414);
  const std::string head = kHead;
  CHECK(status_of(head + "Content-Length: 10\r\n\r\n0123456789") == 200);
  CHECK(status_of(head + "Content-Length: 11\r\n\r\n") == 413);  // before any of it came
  CHECK(
      status_of(head + "Transfer-Encoding: chunked\r\n\r\n9\r\n012345678\r\n1\r\n9\r\n0\r\n\r\n") ==
      200);
  CHECK(status_of(head + "Transfer-Encoding: chunked\r\n\r\n9\r\n012345678\r\n2\r\n") == 413);
  CHECK(status_of(head + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n") == 413);
}

TEST_CASE("chunk framing without content is not served for ever") {
  RequestParser parser({});
  std::string request = std::string(kHead) + "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 40; ++i) request += "1;" + std::string(3000, 'x') + "\r\na\r\n";
  CHECK(feed_all(parser, request, 1000) == ParseState::failed);
  RequestParser honest({});
  std::string small = std::string(kHead) + "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 30'000; ++i) small += "1\r\na\r\n";
  CHECK(feed_all(honest, small + "0\r\n\r\n", 1000) == ParseState::done);
  CHECK(honest.request().body.size() == 30'000);
}

TEST_CASE("a pipelined request stays where it is") {
  RequestParser parser({});
  const std::string first = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string both = first + "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
  CHECK(parser.feed(both) == first.size());
  CHECK(parser.state() == ParseState::done);
  parser.restart();
  CHECK(parser.feed(std::string_view(both).substr(first.size())) == both.size() - first.size());
  CHECK(parser.request().path == "/2");
}

TEST_CASE("keep-alive and expectation") {
  RequestParser closing({});
  feed_all(closing, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 99);
  CHECK_FALSE(closing.keep_alive());
  RequestParser old({});
  feed_all(old, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 99);
  CHECK(old.state() == ParseState::done);
  CHECK_FALSE(old.keep_alive());
  RequestParser expecting({});
  feed_all(expecting, std::string(kHead) + "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n", 99);
  CHECK(expecting.state() == ParseState::body);
  CHECK(expecting.wants_continue());
}

}  // namespace
}  // namespace weir::net
