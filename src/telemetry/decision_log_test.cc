// SPDX-License-Identifier: Apache-2.0
#include "telemetry/decision_log.h"

#include <array>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace weir::telemetry {
namespace {

using namespace std::chrono_literals;

class StillClock final : public async::Clock {
 public:
  MonoTime mono() override { return now; }
  WallTime wall() override { return *parse_rfc3339("2026-11-21T14:02:11.123Z"); }
  async::Task<> sleep_until(MonoTime) override { co_return; }
  void cancel_sleeps() override {}
  MonoTime now{1h};
};

// Decisions in, metrics and log lines out.
class Desk {
 public:
  ~Desk() {
    log_.reset();  // its thread writes to what is closed now
    close(ends_[0]);
    close(ends_[1]);
  }

  void tell(const Decision& decision, const ports::DecisionRecord& record = {}) {
    ports::DecisionRecord full = record;
    if (full.flow.empty()) full.flow = "sync";
    full.ref = {FlowId{1}, Position{StreamId{2}, 0, 42}};
    full.dependency = "tracker";
    full.event_id = "7f3c";
    full.decision = &decision;
    sink_.on_decision(full);
  }
  void tell_attempt(const Decision& decision, const Outcome& outcome, std::uint32_t attempt = 1) {
    tell(decision, {.attempt = attempt, .outcome = &outcome});
  }
  // The value of one sample; nullopt if there is no such line.
  std::optional<std::string> sample(const std::string& name_and_labels) const {
    const std::string text = "\n" + metrics_.text();
    const auto at = text.find("\n" + name_and_labels + " ");
    if (at == text.npos) return std::nullopt;
    const auto begin = at + name_and_labels.size() + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
  }
  // Ends the log.
  std::vector<std::string> lines() {
    log_.reset();
    std::string text(1'048'576, '\0');
    // A line of our own, so that reading never waits.
    REQUIRE(write(ends_[1], "\n", 1) == 1);
    text.resize(static_cast<std::size_t>(read(ends_[0], text.data(), text.size())));
    std::vector<std::string> lines;
    for (std::size_t at = 0; text[at] != '\n';) {
      const auto end = text.find('\n', at);
      lines.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return lines;
  }
  StillClock& clock() { return clock_; }
  void flush(bool all) { sink_.flush(all); }

 private:
  static std::array<int, 2> open_pipe() {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    REQUIRE(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) >= 1 << 20);  // nobody reads until the end
    return ends;
  }

  std::array<int, 2> ends_ = open_pipe();
  StillClock clock_;
  Registry metrics_;
  std::unique_ptr<Log> log_ = std::make_unique<Log>(ends_[1], Level::debug);
  DecisionLog sink_{metrics_, *log_, clock_,
                    [](StreamId id) { return fmt::format("stream-{}", id.value); }};
};

Decision done() { return {}; }

Decision retry() {
  return {.kind = DecisionKind::retryAt,
          .failure = FailureClass::transient,
          .rule = "http.503",
          .reason = "503 may pass"};
}

Decision quarantine(std::string rule = "http.422", std::string mode = "") {
  return {.kind = DecisionKind::quarantine,
          .failure = FailureClass::permanent,
          .rule = std::move(rule),
          .reason = "422 is permanent",
          .failure_mode = std::move(mode)};
}

Outcome answer(int status, Duration latency) { return {.status = status, .latency = latency}; }

TEST_CASE("success is counted and measured, and not logged") {
  Desk desk;
  for (int i = 0; i < 3; ++i) desk.tell_attempt(done(), answer(204, 30ms));
  CHECK(desk.sample(R"(weir_deliveries_total{flow="sync",decision="done"})") == "3");
  CHECK(desk.sample(R"(weir_attempt_duration_seconds_count{flow="sync"})") == "3");
  CHECK(desk.sample(R"(weir_attempt_duration_seconds_bucket{flow="sync",le="0.025"})") == "0");
  CHECK(desk.sample(R"(weir_attempt_duration_seconds_bucket{flow="sync",le="0.05"})") == "3");
  CHECK_FALSE(
      desk.sample(R"(weir_failed_attempts_total{flow="sync",dependency="tracker",class="ok"})"));
  CHECK(desk.lines().empty());
}

TEST_CASE("a failed attempt is counted by class; a quarantine by whether it has a name") {
  Desk desk;
  desk.tell_attempt(retry(), answer(503, 2s));
  desk.tell_attempt(retry(), answer(503, 2s), 2);
  desk.tell_attempt(quarantine(), answer(422, 1ms), 3);
  desk.tell_attempt(quarantine("failureMode.x", "x"), answer(422, 1ms), 3);
  CHECK(desk.sample(R"(weir_deliveries_total{flow="sync",decision="retryAt"})") == "2");
  CHECK(desk.sample(R"(weir_deliveries_total{flow="sync",decision="quarantine"})") == "2");
  CHECK(desk.sample(R"(weir_deliveries_total{flow="sync",decision="done"})") == "0");
  CHECK(desk.sample(
            R"(weir_failed_attempts_total{flow="sync",dependency="tracker",class="transient"})") ==
        "2");
  CHECK(desk.sample(
            R"(weir_failed_attempts_total{flow="sync",dependency="tracker",class="permanent"})") ==
        "2");
  CHECK(desk.sample(R"(weir_unnamed_failures_total{flow="sync"})") == "1");
  CHECK(desk.sample(R"(weir_attempt_duration_seconds_count{flow="sync"})") == "4");
}

TEST_CASE("an interruption and an expiry are no attempts") {
  Desk desk;
  desk.tell({.kind = DecisionKind::defer,
             .failure = FailureClass::interrupted,
             .rule = "interruption",
             .reason = "cut short"});
  desk.tell({.kind = DecisionKind::quarantine,
             .failure = FailureClass::expired,
             .rule = "deadline",
             .reason = "too late"});
  CHECK(desk.sample(R"(weir_interruptions_total{flow="sync"})") == "1");
  CHECK_FALSE(desk.sample(
      R"(weir_failed_attempts_total{flow="sync",dependency="tracker",class="expired"})"));
  CHECK(desk.sample(R"(weir_attempt_duration_seconds_count{flow="sync"})") == "0");
}

TEST_CASE("what Weir adds is measured where no commit is in between") {
  Desk desk;
  desk.tell(done(), {.attempt = 1, .added = 1200us});
  desk.tell(done(), {.attempt = 2});
  CHECK(desk.sample(R"(weir_added_latency_seconds_count{flow="sync"})") == "1");
  CHECK(desk.sample(R"(weir_added_latency_seconds_bucket{flow="sync",le="0.001"})") == "0");
  CHECK(desk.sample(R"(weir_added_latency_seconds_bucket{flow="sync",le="0.0015"})") == "1");
}

TEST_CASE("a line says what was decided, about what, and why") {
  Desk desk;
  const Outcome outcome = answer(422, 1234567us);
  desk.tell(quarantine(), {.trace_id = "0af7651916cd43dd8448eb211c80319c",
                           .attempt = 2,
                           .replay = ReplayId{3},
                           .outcome = &outcome,
                           .group = "9ad1"});
  desk.tell({.kind = DecisionKind::quarantine,
             .failure = FailureClass::expired,
             .rule = "deadline",
             .reason = "too late"});
  const auto lines = desk.lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] ==
        R"({"ts":"2026-11-21T14:02:11.123Z","level":"warning","event":"delivery.quarantine",)"
        R"("msg":"422 is permanent","flow":"sync","dependency":"tracker","ref":"stream-2#42",)"
        R"("eventId":"7f3c","attempt":2,"class":"permanent","decision":"quarantine",)"
        R"("rule":"http.422","group":"9ad1","replay":"r3",)"
        R"("traceId":"0af7651916cd43dd8448eb211c80319c","durationMs":1234,"status":422})");
  CHECK(lines[1] ==
        R"({"ts":"2026-11-21T14:02:11.123Z","level":"warning","event":"delivery.quarantine",)"
        R"("msg":"too late","flow":"sync","dependency":"tracker","ref":"stream-2#42",)"
        R"("eventId":"7f3c","class":"expired","decision":"quarantine","rule":"deadline"})");
}

// In the order they are written.
std::vector<std::string> names_of(const std::string& line) {
  const auto parsed = wire::parse_json(line);
  REQUIRE(parsed.ok());
  std::vector<std::string> names;
  for (const wire::Json field : parsed->root()) names.emplace_back(field.key());
  return names;
}

TEST_CASE("every line has exactly the fields of the schema that apply") {
  using Names = std::vector<std::string>;
  const Names bare = {"ts",  "level",   "event", "msg",      "flow", "dependency",
                      "ref", "eventId", "class", "decision", "rule"};
  const Names full = {"ts",    "level",   "event",   "msg",        "flow",     "dependency",
                      "ref",   "eventId", "attempt", "class",      "decision", "rule",
                      "group", "replay",  "traceId", "durationMs", "status"};
  for (int kind = 0; kind <= static_cast<int>(DecisionKind::pauseFlow); ++kind) {
    CAPTURE(kind);
    Desk desk;
    const Decision decision{.kind = static_cast<DecisionKind>(kind),
                            .failure = FailureClass::conflict,
                            .rule = "r",
                            .reason = "because"};
    const Outcome outcome = answer(409, 1ms);
    desk.tell(decision, {.flow = "other"});
    desk.tell(decision, {.trace_id = "0af7651916cd43dd8448eb211c80319c",
                         .attempt = 1,
                         .replay = ReplayId{3},
                         .outcome = &outcome,
                         .group = "g"});
    const auto lines = desk.lines();
    if (decision.kind == DecisionKind::done) {
      CHECK(lines.empty());
      continue;
    }
    REQUIRE(lines.size() == 2);
    CHECK(names_of(lines[0]) == bare);
    CHECK(names_of(lines[1]) == full);
  }
}

TEST_CASE("what was left out is told when its minute is over, without another one of its kind") {
  Desk desk;
  for (int i = 0; i < 4; ++i) desk.tell_attempt(retry(), answer(503, 1ms));
  desk.tell(quarantine(), {.group = "9ad1"});
  desk.clock().now += 59s;
  desk.flush(false);
  desk.clock().now += 1s;
  desk.flush(false);
  desk.flush(false);
  desk.tell_attempt(retry(), answer(503, 1ms));  // the told line is the one of this minute
  const auto lines = desk.lines();
  REQUIRE(lines.size() == 3);
  CHECK(lines[2] == R"({"ts":"2026-11-21T14:02:11.123Z","level":"info","event":"delivery.retryAt",)"
                    R"("msg":"repeated since the last line of this kind","flow":"sync",)"
                    R"("decision":"retryAt","rule":"http.503","count":3})");
}

TEST_CASE("at the end everything left out is told") {
  Desk desk;
  for (int i = 0; i < 3; ++i) desk.tell(quarantine(), {.group = "9ad1"});
  for (std::size_t i = 1; i < LogGate::kKindsMax; ++i) desk.tell(quarantine(std::to_string(i)));
  for (int i = 0; i < 6; ++i) desk.tell(quarantine("more" + std::to_string(i)));
  desk.flush(true);
  desk.flush(true);
  const auto lines = desk.lines();
  REQUIRE(lines.size() == LogGate::kKindsMax + 3);
  CHECK(lines[lines.size() - 2] ==
        R"({"ts":"2026-11-21T14:02:11.123Z","level":"info","event":"delivery.others",)"
        R"("msg":"decisions of many kinds","count":5})");
  CHECK(lines.back() ==
        R"({"ts":"2026-11-21T14:02:11.123Z","level":"warning","event":"delivery.quarantine",)"
        R"("msg":"repeated since the last line of this kind","flow":"sync",)"
        R"("decision":"quarantine","rule":"http.422","group":"9ad1","count":2})");
}

TEST_CASE("the same line is written once a minute, with how many were left out") {
  Desk desk;
  for (int i = 0; i < 10; ++i) desk.tell_attempt(retry(), answer(503, 1ms));
  desk.clock().now += 59s;
  desk.tell_attempt(retry(), answer(503, 1ms));
  desk.clock().now += 1s;
  desk.tell_attempt(retry(), answer(503, 1ms));
  const auto lines = desk.lines();
  REQUIRE(lines.size() == 2);
  CHECK_FALSE(lines[0].contains("\"count\""));
  CHECK(lines[1].ends_with("\"count\":10}"));
  CHECK(desk.sample(R"(weir_deliveries_total{flow="sync",decision="retryAt"})") == "12");
}

TEST_CASE("another flow, decision, rule or group is another line") {
  Desk desk;
  desk.tell(retry());
  desk.tell(quarantine());
  desk.tell(quarantine("http.400"));
  desk.tell(quarantine(), {.group = "9ad1"});
  desk.tell(quarantine(), {.flow = "feed"});
  desk.tell(quarantine(), {.flow = "feed"});
  CHECK(desk.lines().size() == 5);
}

TEST_CASE("the gate lets one of a kind through per interval") {
  LogGate gate(10s);
  const MonoTime begin{1h};
  CHECK(gate.admit({.flow = "a"}, begin) == 0);
  CHECK(gate.admit({.flow = "b"}, begin) == 0);
  CHECK_FALSE(gate.admit({.flow = "a"}, begin));
  CHECK_FALSE(gate.admit({.flow = "a"}, begin + 9'999ms));
  CHECK(gate.admit({.flow = "a"}, begin + 10s) == 2);
  CHECK(gate.admit({.flow = "b"}, begin + 10s) == 0);
  CHECK_FALSE(gate.admit({.flow = "a"}, begin + 19s));
  CHECK(gate.admit({.flow = "a"}, begin + 20s) == 1);
}

TEST_CASE("the gate remembers a bounded number of kinds, and what is new then shares one place") {
  LogGate gate(10s);
  const MonoTime begin{1h};
  for (std::size_t i = 0; i < LogGate::kKindsMax; ++i) {
    CHECK(gate.admit({.flow = std::to_string(i)}, begin) == 0);
  }
  std::size_t written = 0;
  for (int i = 0; i < 100'000; ++i) {
    written += gate.admit({.flow = "new" + std::to_string(i)}, begin + 1s) ? 1 : 0;
  }
  CHECK(written == 1);
  CHECK_FALSE(gate.admit({.flow = "3"}, begin + 1s));  // known ones are still known
  // Old ones make room.
  CHECK(gate.admit({.flow = "newer"}, begin + 11s) == 0);
  CHECK_FALSE(gate.admit({.flow = "newer"}, begin + 11s));
  CHECK(gate.admit({.flow = "newest"}, begin + 11s) == 0);
}

}  // namespace
}  // namespace weir::telemetry
