// SPDX-License-Identifier: Apache-2.0
#include "telemetry/log.h"

#include <csignal>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <doctest/doctest.h>

#include "async/clock.h"

namespace weir::telemetry {
namespace {

using namespace std::chrono_literals;

const WallTime kNow = *parse_rfc3339("2026-11-21T14:02:11.123Z");

struct Pipe {
  int ends[2];
  Pipe() { REQUIRE(pipe(ends) == 0); }
  ~Pipe() {
    close_reading();
    close_writing();
  }
  void close_reading() {
    if (ends[0] >= 0) close(std::exchange(ends[0], -1));
  }
  void close_writing() {
    if (ends[1] >= 0) close(std::exchange(ends[1], -1));
  }
  int writing() const { return ends[1]; }
  // Everything up to the end of the stream.
  std::string read_all() const {
    std::string text;
    char buffer[65'536];
    for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
  }
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    REQUIRE(end != text.npos);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// What `act` logs.
template <class Act>
std::vector<std::string> logged(Level least, Act act) {
  Pipe pipe;
  {
    Log log(pipe.writing(), least);
    act(log);
  }
  pipe.close_writing();
  return lines_of(pipe.read_all());
}

TEST_CASE("after a flush everything is written, and nobody waits for a reader that does not read") {
  Pipe pipe;
  Log log(pipe.writing(), Level::info);
  log.write(kNow, Level::info, "last.words", "the end");
  log.flush(10s);
  std::string text(256, '\0');
  text.resize(static_cast<std::size_t>(read(pipe.ends[0], text.data(), text.size())));
  CHECK(text.contains("last.words"));
  for (int i = 0; i < 1000; ++i) {  // more than a pipe holds
    log.write(kNow, Level::info, "much", std::string(200, 'x'));
  }
  const MonoTime before = async::steady_now();
  log.flush(20ms);
  CHECK(async::steady_now() - before < 5s);
  std::signal(SIGPIPE, SIG_IGN);
  pipe.close_reading();
}

TEST_CASE("a line is one JSON object: time, level, event, message, then its fields") {
  const auto lines = logged(Level::debug, [](Log& log) {
    log.write(kNow, Level::info, "flow.paused", "by an operator",
              [](wire::JsonWriter& json) { json.field("flow", "sync").field("attempt", 3); });
    log.write(kNow, Level::debug, "store.opened", "in 3 ms");
    log.error(kNow, "config.refused", Error{Code::config_invalid, "weir.yaml:3:7: no", "hint"});
  });
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == R"({"ts":"2026-11-21T14:02:11.123Z","level":"info","event":"flow.paused",)"
                    R"("msg":"by an operator","flow":"sync","attempt":3})");
  CHECK(lines[1] == R"({"ts":"2026-11-21T14:02:11.123Z","level":"debug","event":"store.opened",)"
                    R"("msg":"in 3 ms"})");
  CHECK(lines[2] == R"({"ts":"2026-11-21T14:02:11.123Z","level":"error","event":"config.refused",)"
                    R"("msg":"weir.yaml:3:7: no","code":"WR1301","hint":"hint"})");
}

TEST_CASE("whatever a message holds, it stays one line of valid JSON") {
  const std::string nasty = "a\nb\r\"c\"\\ \x1B[31m \xFF\xC3 \xE2\x80\xA8 end";
  const auto lines = logged(Level::info, [&](Log& log) {
    log.write(kNow, Level::info, "x", nasty,
              [&](wire::JsonWriter& json) { json.field("flow", nasty); });
  });
  REQUIRE(lines.size() == 1);
  const auto parsed = wire::parse_json(lines[0]);
  REQUIRE(parsed.ok());
  CHECK(parsed->root().find("msg")->string().starts_with("a\nb\r\"c\"\\ \x1B[31m \xEF\xBF\xBD"));
}

TEST_CASE("lines below the level are left out, and their fields are not made") {
  const auto lines = logged(Level::warning, [](Log& log) {
    CHECK_FALSE(log.enabled(Level::info));
    CHECK(log.enabled(Level::warning));
    log.write(kNow, Level::info, "quiet", "", [](wire::JsonWriter&) { FAIL("asked for fields"); });
    log.write(kNow, Level::warning, "loud", "");
    log.write(kNow, Level::error, "louder", "");
  });
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].contains(R"("level":"warning","event":"loud")"));
  CHECK(lines[1].contains(R"("level":"error","event":"louder")"));
}

TEST_CASE("lines come out in order, those of the last moment too") {
  Pipe pipe;
  std::string text;
  std::thread reader([&] { text = pipe.read_all(); });
  {
    Log log(pipe.writing(), Level::info);
    for (int i = 0; i < 2000; ++i) log.write(kNow, Level::info, "n", std::to_string(i));
    CHECK(log.dropped() == 0);
  }
  pipe.close_writing();
  reader.join();
  const auto lines = lines_of(text);
  REQUIRE(lines.size() == 2000);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    REQUIRE(lines[i].contains("\"msg\":\"" + std::to_string(i) + "\""));
  }
}

TEST_CASE("a reader that stops reading costs lines, not time; every one of them is reported") {
  Pipe pipe;
  constexpr std::uint64_t kLines = 5000;  // half a megabyte, ten times what fits
  std::string text;
  std::thread reader;
  std::uint64_t dropped = 0;
  {
    Log log(pipe.writing(), Level::info, 8192);
    for (std::uint64_t i = 0; i < kLines; ++i) {
      log.write(kNow, Level::info, "n", std::string(60, 'x'));
    }
    dropped = log.dropped();
    CHECK(dropped > kLines / 2);
    CHECK(dropped < kLines);
    reader = std::thread([&] { text = pipe.read_all(); });
  }
  pipe.close_writing();
  reader.join();
  std::uint64_t reported = 0, written = 0;
  for (const std::string& line : lines_of(text)) {
    const auto parsed = wire::parse_json(line);
    REQUIRE(parsed.ok());
    if (parsed->root().find("event")->string() != "log.dropped") {
      ++written;
      continue;
    }
    CHECK(parsed->root().find("level")->string() == "warning");
    reported += static_cast<std::uint64_t>(*parsed->root().find("count")->integer());
  }
  CHECK(reported == dropped);
  CHECK(written + reported == kLines);
}

TEST_CASE("what was left out is reported before the next line that fits") {
  Pipe pipe;
  {
    Log log(pipe.writing(), Level::info, 400);
    log.write(kNow, Level::info, "big", std::string(1000, 'x'));
    log.write(kNow, Level::info, "big", std::string(1000, 'x'));
    log.write(kNow, Level::info, "small", "");
    CHECK(log.dropped() == 2);
  }
  pipe.close_writing();
  const auto lines = lines_of(pipe.read_all());
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == R"({"ts":"2026-11-21T14:02:11.123Z","level":"warning","event":"log.dropped",)"
                    R"("msg":"lines were left out: the log is not read fast enough","count":2})");
  CHECK(lines[1].contains("\"event\":\"small\""));
}

TEST_CASE("the end does not wait for a reader that does not read") {
  Pipe pipe;
  const MonoTime begin = async::steady_now();
  {
    Log log(pipe.writing(), Level::info);
    for (int i = 0; i < 2000; ++i) log.write(kNow, Level::info, "n", std::string(100, 'x'));
  }
  CHECK(async::steady_now() - begin < 10s);  // half a second, on a machine with time
}

TEST_CASE("a log that nobody reads any more is no reason to stop") {
  std::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  pipe.close_reading();
  Log log(pipe.writing(), Level::info);
  log.write(kNow, Level::info, "n", "");
  const MonoTime end = async::steady_now() + 10s;
  while (log.dropped() == 0 && async::steady_now() < end) std::this_thread::yield();
  CHECK(log.dropped() == 1);
  log.write(kNow, Level::info, "n", "");
}

TEST_CASE("lines of several threads do not mix") {
  Pipe pipe;
  std::string text;
  std::thread reader([&] { text = pipe.read_all(); });
  {
    Log log(pipe.writing(), Level::info);
    std::vector<std::thread> writers;
    for (int i = 0; i < 4; ++i) {
      writers.emplace_back([&log] {
        for (int n = 0; n < 500; ++n) log.write(kNow, Level::info, "n", "some message");
      });
    }
    for (auto& writer : writers) writer.join();
  }
  pipe.close_writing();
  reader.join();
  const auto lines = lines_of(text);
  CHECK(lines.size() == 2000);
  for (const auto& line : lines) REQUIRE(line == lines[0]);
}

}  // namespace
}  // namespace weir::telemetry
