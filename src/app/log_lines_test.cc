// SPDX-License-Identifier: Apache-2.0
#include "app/log_lines.h"

#include <array>
#include <unistd.h>

#include <doctest/doctest.h>

namespace weir::app {
namespace {

using namespace std::chrono_literals;
using policy::Breaker;

const WallTime kReadAt = *parse_rfc3339("2026-11-21T14:02:11.123Z");

// What `act` logs, without the time.
template <class Act>
std::vector<std::string> logged(Act act) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  {
    telemetry::Log log(ends[1], telemetry::Level::info);
    act(log);
  }
  close(ends[1]);
  std::string text(65'536, '\0');
  text.resize(static_cast<std::size_t>(read(ends[0], text.data(), text.size())));
  close(ends[0]);
  const std::string time = R"({"ts":"2026-11-21T14:02:11.123Z",)";
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    CHECK(text.compare(at, time.size(), time) == 0);
    at += time.size();
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string line_of(const Breaker::Transition& transition) {
  const auto lines = logged(
      [&](telemetry::Log& log) { log_transition(log, kReadAt, "tracker", "", transition); });
  REQUIRE(lines.size() == 1);
  return lines.front();
}

AuditEntry entry(std::string action, std::string target, std::string reason,
                 std::string detail = "") {
  return {.at = kReadAt,
          .actor = "local:ada",
          .action = std::move(action),
          .target = std::move(target),
          .reason = std::move(reason),
          .detail = std::move(detail)};
}

TEST_CASE("a breaker's line says which dependency, and why") {
  const MonoTime at{1h};
  CHECK(line_of({Breaker::State::closed, Breaker::State::open, at, 61.04, 0, 120, at + 20s}) ==
        R"("level":"warning","event":"breaker.opened",)"
        R"("msg":"61 % of 120 calls failed; no calls for 20.0 s","dependency":"tracker"})");
  CHECK(line_of({Breaker::State::open, Breaker::State::halfOpen, at, 61, 0, 120, at}) ==
        R"("level":"info","event":"breaker.halfOpened","msg":"probing","dependency":"tracker"})");
  CHECK(line_of({Breaker::State::halfOpen, Breaker::State::open, at, 100, 0, 3, at + 40s}) ==
        R"("level":"info","event":"breaker.reopened",)"
        R"("msg":"100 % of 3 calls failed; no calls for 40.0 s","dependency":"tracker"})");
  CHECK(line_of({Breaker::State::halfOpen, Breaker::State::closed, at, 0, 0, 5, at}) ==
        R"("level":"info","event":"breaker.closed","msg":"0 % of 5 calls failed",)"
        R"("dependency":"tracker"})");
}

TEST_CASE("a breaker that was opened by hand says so") {
  const MonoTime at{1h};
  Breaker::Transition opened{Breaker::State::closed, Breaker::State::open, at, 0, 0, 0, at + 20s};
  opened.by_hand = true;
  CHECK(line_of(opened) == R"("level":"warning","event":"breaker.opened",)"
                           R"("msg":"by hand; no calls for 20.0 s","dependency":"tracker"})");
  opened.open_until = MonoTime::max();
  CHECK(line_of(opened) ==
        R"("level":"warning","event":"breaker.opened",)"
        R"("msg":"by hand; no calls until it is given back to them","dependency":"tracker"})");
}

TEST_CASE("an action's line says what it acted on, why, and by whom") {
  AuditEntry stop = entry("replay.stop", "r3", "too many failed again", "sent 9 of 100");
  stop.actor = "weir";
  const auto lines = logged([&](telemetry::Log& log) {
    log_actions(log, {entry("flow.pause", "sync", "maintenance"), stop,
                      entry("replay.complete", "r4", "", "sent 5 of 5"),
                      entry("quarantine.resolve", "orders#17", "done by hand", "flow 1")});
  });
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == R"("level":"info","event":"flow.pause","msg":"maintenance","flow":"sync",)"
                    R"("actor":"local:ada"})");
  CHECK(lines[1] ==
        R"x("level":"warning","event":"replay.stop",)x"
        R"x("msg":"too many failed again (sent 9 of 100)","replay":"r3","actor":"weir"})x");
  CHECK(lines[2] ==
        R"x("level":"info","event":"replay.complete","msg":"sent 5 of 5","replay":"r4",)x"
        R"x("actor":"local:ada"})x");
  CHECK(lines[3] ==
        R"x("level":"info","event":"quarantine.resolve","msg":"done by hand (flow 1)",)x"
        R"x("ref":"orders#17","actor":"local:ada","count":1})x");
}

TEST_CASE("deliveries that were settled together are one line") {
  std::vector<AuditEntry> entries;
  for (int i = 0; i < 300; ++i) {
    entries.push_back(entry("quarantine.discard", fmt::format("orders#{}", i), "test data", "x"));
  }
  entries.push_back(entry("quarantine.discard", "orders#1000", "another reason"));
  entries.push_back(entry("flow.resume", "sync", "test data"));
  entries.push_back(entry("flow.resume", "feed", "test data"));
  const auto lines = logged([&](telemetry::Log& log) { log_actions(log, entries); });
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] ==
        R"("level":"info","event":"quarantine.discard","msg":"test data","actor":"local:ada",)"
        R"("count":300})");
  CHECK(lines[1].contains("another reason"));
}

TEST_CASE("what has a line of its own, or happens all the time, is not told again") {
  CHECK(logged([&](telemetry::Log& log) {
          log_actions(log, {entry("config.reload", "weir.yaml", "", "flow added"),
                            entry("stream.trim", "orders", "retention")});
        }).empty());
}

}  // namespace
}  // namespace weir::app
