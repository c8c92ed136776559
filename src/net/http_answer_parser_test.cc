// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "net/http_parser.h"

namespace weir::net {
namespace {

void feed_all(AnswerParser& parser, std::string_view bytes, std::size_t step) {
  std::string buffer;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    buffer += bytes.substr(at, step);
    buffer.erase(0, parser.feed(buffer));
    if (parser.state() == ParseState::failed || parser.state() == ParseState::done) return;
  }
}

struct Row {
  const char* name;
  std::string answer;
  Fault fault;  // after the peer closed
};

std::string many(std::string_view text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

std::vector<Row> bad_answers() {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  return {
      {"nothing", "", Fault::connectionClosed},
      {"half a status line", "HTTP/1.1 20", Fault::connectionClosed},
      {"half a header", "HTTP/1.1 200 OK\r\nX: y\r\n", Fault::connectionClosed},
      {"less than announced", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd",
       Fault::connectionClosed},
      {"an unfinished chunk", chunked + "5\r\nabc", Fault::connectionClosed},
      {"no last chunk", chunked + "3\r\nabc\r\n", Fault::connectionClosed},
      {"garbage", "SSH-2.0-OpenSSH_9.2\r\n", Fault::malformedAnswer},
      {"another version", "HTTP/3.0 200 OK\r\n\r\n", Fault::malformedAnswer},
      {"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", Fault::malformedAnswer},
      {"a status out of range", "HTTP/1.1 999 OK\r\n\r\n", Fault::malformedAnswer},
      {"status 0", "HTTP/1.1 000 OK\r\n\r\n", Fault::malformedAnswer},
      {"length and chunked",
       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
       Fault::malformedAnswer},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
       Fault::malformedAnswer},
      {"a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
       Fault::malformedAnswer},
      {"another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
       Fault::malformedAnswer},
      {"a bad chunk", chunked + "zz\r\n", Fault::malformedAnswer},
      {"an endless chunk line", chunked + "1;" + std::string(5000, 'x'), Fault::malformedAnswer},
      {"a 204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc",
       Fault::malformedAnswer},
      {"a 204 with chunks",
       "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       Fault::malformedAnswer},
      {"switching protocols", "HTTP/1.1 101 Switching\r\n\r\n", Fault::malformedAnswer},
      {"nine interim answers", many("HTTP/1.1 102 Processing\r\n\r\n", 9), Fault::malformedAnswer},
      {"a huge header", "HTTP/1.1 200 OK\r\nX: " + std::string(17'000, 'x') + "\r\n\r\n",
       Fault::answerTooLarge},
      {"an endless header", "HTTP/1.1 200 OK\r\nX: " + std::string(17'000, 'x'),
       Fault::answerTooLarge},
      {"too many fields", "HTTP/1.1 200 OK\r\n" + many("X: y\r\n", 65) + "\r\n",
       Fault::answerTooLarge},
      {"a huge length", "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n",
       Fault::answerTooLarge},
      {"a huge chunk", chunked + "100001\r\n", Fault::answerTooLarge},
      {"endless chunks", chunked + many("10000\r\n" + std::string(65536, 'x') + "\r\n", 17),
       Fault::answerTooLarge},
      {"an endless body", "HTTP/1.1 200 OK\r\n\r\n" + std::string(1048577, 'x'),
       Fault::answerTooLarge},
  };
}

TEST_CASE("an answer that is none has its fault, however it arrives") {
  for (const Row& row : bad_answers()) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{1000}, std::size_t{60'000}}) {
      if (step == 1 && row.answer.size() > 20'000) continue;
      INFO(std::string(row.name));
      CAPTURE(step);
      AnswerParser parser({});
      feed_all(parser, row.answer, step);
      if (parser.state() != ParseState::failed) parser.finish();
      REQUIRE(parser.state() == ParseState::failed);
      CHECK(parser.fault() == row.fault);
      CHECK_FALSE(parser.failure().empty());
    }
  }
}

TEST_CASE("a body above the cap is left out, where that is asked for, and ends the connection") {
  const AnswerLimits limits{.leave_out_large = true};
  for (const Row& row : bad_answers()) {
    INFO(std::string(row.name));
    AnswerParser parser(limits);
    feed_all(parser, row.answer, 1000);
    if (parser.state() != ParseState::failed) parser.finish();
    const bool of_body = row.fault == Fault::answerTooLarge && parser.state() == ParseState::done;
    const bool too_large = row.fault == Fault::answerTooLarge;
    const std::string name = row.name;
    const bool of_head = name.ends_with("header") || name == "too many fields";
    CHECK(of_body == (too_large && !of_head));
    if (!of_body) continue;
    CHECK(parser.answer().body_left_out);
    CHECK(parser.answer().status == 200);
    CHECK(parser.answer().body.empty());
    CHECK_FALSE(parser.keep_alive());
    parser.restart();
    CHECK(parser.state() == ParseState::head);
  }
}

TEST_CASE("honest answers are read in any pieces") {
  const std::string answer =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      "HTTP/1.1 422 Unprocessable\r\nContent-Type: application/problem+json\r\nKeep-Alive: "
      "timeout=5, max=100\r\n"
      "Transfer-Encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\nX: y\r\n\r\n";
  rc::check("any step", [&] {
    AnswerParser parser({});
    feed_all(parser, answer, *rc::gen::inRange<std::size_t>(1, answer.size() + 1));
    RC_ASSERT(parser.state() == ParseState::done);
    RC_ASSERT(parser.answer().status == 422);
    RC_ASSERT(parser.answer().body == "{\"a\":1}");
    RC_ASSERT(parser.answer().headers.size() == 3u);
    RC_ASSERT(parser.answer().headers[0].first == "content-type");
    RC_ASSERT(parser.keep_alive());
    RC_ASSERT(parser.keep_alive_timeout() == Duration(std::chrono::seconds(5)));
  });
}

TEST_CASE("the body is kept for failures only, and not more than the cap") {
  const auto body_of = [](int status, std::size_t size, const AnswerLimits& limits) {
    AnswerParser parser(limits);
    parser.feed("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " +
                std::to_string(size) + "\r\n\r\n" + std::string(size, 'x'));
    REQUIRE(parser.state() == ParseState::done);
    return parser.answer().body.size();
  };
  CHECK(body_of(200, 100, {}) == 0);
  CHECK(body_of(500, kOutcomeBodyMax, {}) == kOutcomeBodyMax);
  CHECK(body_of(500, kOutcomeBodyMax + 1, {}) == kOutcomeBodyMax);
  CHECK(body_of(500, 1024 * 1024, {}) == kOutcomeBodyMax);
  AnswerLimits keeping;
  keeping.keep_success_body = true;
  CHECK(body_of(200, 100, keeping) == 100);
}

TEST_CASE("the end of an answer") {
  AnswerParser until_end({});
  until_end.feed("HTTP/1.1 500 X\r\n\r\nabc");
  CHECK(until_end.state() == ParseState::body);
  until_end.finish();
  CHECK(until_end.state() == ParseState::done);
  CHECK(until_end.answer().body == "abc");
  CHECK_FALSE(until_end.keep_alive());

  AnswerParser not_modified({});
  not_modified.feed("HTTP/1.1 304 X\r\nContent-Length: 5000000\r\n\r\n");
  CHECK(not_modified.state() == ParseState::done);

  const std::string interim = many("HTTP/1.1 102 Processing\r\n\r\n", 8) + "HTTP/1.1 204 X\r\n\r\n";
  AnswerParser patient({});
  CHECK(patient.feed(interim + "surplus") == interim.size());
  CHECK(patient.state() == ParseState::done);
  patient.refuse_surplus();
  CHECK(patient.state() == ParseState::failed);
  CHECK(patient.fault() == Fault::malformedAnswer);
  patient.restart();
  CHECK_FALSE(patient.got_some());
  patient.feed("HTTP/1.1 201 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  CHECK(patient.state() == ParseState::done);
  CHECK_FALSE(patient.keep_alive());
}

TEST_CASE("a head has its limit with its first line, in one piece and in many") {
  constexpr std::size_t kLimit = 200;
  for (const std::size_t size : {kLimit, kLimit + 1}) {
    std::string head = "HTTP/1.1 204 No Content\r\nX: ";
    head += std::string(size - head.size() - 4, 'y') + "\r\n\r\n";
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, size}) {
      CAPTURE(size);
      CAPTURE(step);
      AnswerParser parser({.header_bytes = kLimit});
      feed_all(parser, head, step);
      const bool fits = size <= kLimit;
      CHECK(parser.state() == (fits ? ParseState::done : ParseState::failed));
      if (!fits) CHECK(parser.fault() == Fault::answerTooLarge);
    }
  }
}

TEST_CASE("random bytes never become an answer") {
  rc::check("garbage", [](const std::string& garbage) {
    AnswerParser parser({});
    feed_all(parser, garbage, 3);
    RC_ASSERT(parser.state() != ParseState::done);
  });
}

}  // namespace
}  // namespace weir::net
