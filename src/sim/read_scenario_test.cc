// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "sim/testing/scenario_text.h"

namespace weir::sim {
namespace {

using testing::problems_of;
using testing::scenario_of;

constexpr const char* kLoad = "load: { a: { to: d, rate: 10/s } }\n";

TEST_CASE("a scenario needs a load and a dependency, and everything else has a default") {
  const Scenario scenario = scenario_of("dependencies: { d: {} }\n" + std::string(kLoad));
  CHECK(scenario.name == "s.yaml");
  CHECK(scenario.flows.at(0).load.rate == 10);
  CHECK(scenario.flows.at(0).load.arrivals == Arrivals::poisson);
  CHECK(scenario.dependencies.at(0).server.is_unlimited());
  CHECK(scenario.lasts == std::chrono::minutes{5});
  CHECK(scenario.step == std::chrono::seconds{1});
}

TEST_CASE("workers, time of a call and capacity: two of them say the third") {
  const auto server = [](const std::string& text) {
    return scenario_of("dependencies: { d: " + text + " }\n" + kLoad).dependencies.at(0).server;
  };
  CHECK(server("{ capacity: 100/s }").capacity() == doctest::Approx(100));
  CHECK(server("{ capacity: 100/s, server: { workers: 4 } }").takes ==
        std::chrono::milliseconds{40});
  CHECK(server("{ server: { takes: 20ms, workers: 4 } }").capacity() == doctest::Approx(200));
  CHECK(server("{ capacity: 100/s, server: { capacity: 50/s } }").capacity() ==
        doctest::Approx(50));
  CHECK(server("{ server: { takes: 20ms } }").is_unlimited());
}

TEST_CASE("policies by name, inline, and for all who name none") {
  const Scenario scenario = scenario_of(R"(
policies:
  base: { retry: { maxAttempts: 3 } }
  more: { extends: base, timeouts: { attempt: 2s } }
policy: base
load:
  a: { to: d, rate: 1/s }
  b: { to: d, rate: 1/s, policy: more }
  c: { to: d, rate: 1/s, policy: { retry: { maxAttempts: 7 } } }
dependencies: { d: {} }
)");
  CHECK(scenario.flows.at(0).spec.policy.retry.max_attempts == 3);
  CHECK(scenario.flows.at(1).spec.policy.retry.max_attempts == 3);
  CHECK(scenario.flows.at(1).spec.policy.timeouts.attempt == std::chrono::seconds{2});
  CHECK(scenario.flows.at(2).spec.policy.retry.max_attempts == 7);
  CHECK(scenario.policy == "base");
}

TEST_CASE("expectations: exactly, at least, at most, never") {
  const Scenario scenario = scenario_of("dependencies: { d: {} }\n" + std::string(kLoad) + R"(
expect:
  verdict: [steady, recovers]
  goodput: { atLeast: 95% }
  amplification: { atLeast: 1, atMost: 1.5 }
  recovery: never
  effectsTwice: 0
)");
  REQUIRE(scenario.expect.size() == 5);
  CHECK(scenario.expect[0].verdicts == std::vector<std::string>{"steady", "recovers"});
  CHECK(scenario.expect[1].never);
  CHECK(*scenario.expect[2].least == doctest::Approx(0.95));
  CHECK(*scenario.expect[3].most == 1.5);
  CHECK(*scenario.expect[4].least == 0);
  CHECK(*scenario.expect[4].most == 0);
}

struct Wrong {
  const char* text;
  const char* told;
};

TEST_CASE("what is wrong is told with its place and what was meant") {
  const Wrong rows[] = {
      {"load: { a: { to: d, rat: 10/s } }",
       "1:21 unknown setting 'rat' in load 'a' (did you mean 'rate'?)"},
      {"load: { a: { to: e, rate: 10/s } }", "1:18 unknown dependency 'e' (did you mean 'd'?)"},
      {"load: { a: { to: d, rate: 10 } }", "'10' is no rate (for example 300/s"},
      {"load: { a: { to: d, rate: 10/s, policy: carefull } }", "1:41 unknown policy 'carefull'"},
      {"load: { a: { to: d, rate: 10/s } }\nfaults: [{ outge: d, at: 1s, for: 1s }]",
       "2:19 this fault does not say what is wrong (did you mean 'outage'?)"},
      {"load: { a: { to: d, rate: 10/s } }\nfaults: [{ outage: d, at: 1h, for: 1s }]",
       "the fault ends after 1 h 0 min, and the scenario lasts 5 min 0 s (make 'lasts' longer)"},
      {"load: { a: { to: d, rate: 10/s } }\nexpect: { goodput: { atLeast: much } }",
       "2:31 'much' does not fit here (it takes a share like 95% or 0.95)"},
      {"load: { a: { to: d, rate: 10/s } }\nexpect: { goodput: { atLeast: 90%, atMost: 80% } }",
       "2:31 nothing is at least this and at most less"},
      {"load: { a: { to: d, rate: 10/s } }\nexpect: { goodput: 120% }",
       "2:20 '120%' is more than all"},
      {"load: { a: { to: d, rate: 10/s } }\nexpect: { expired: { atMost: 2 } }",
       "2:30 '2' is more than all"},
      {"load: { a: { to: d, rate: 10/s } }\nexpect: { verdict: recovers, recovery: never }",
       "2:40 'recovery: never' and 'verdict: recovers' cannot both be met (leave one of them out)"},
      {"load: { a: { to: d, rate: 10/s } }\n"
       "faults: [{ errors: d, at: 1s, for: 1s, share: 100%, status: 200 }]",
       "2:61 'status' must be from 300 to 599"},
      {"load: { a: { to: d, rate: 10/s } }\nexpect: { goodputt: 1 }",
       "2:11 unknown setting 'goodputt' in 'expect' of the scenario (did you mean 'goodput'?)"},
      {"load: { a: { to: d, rate: 10/s } }\nexpect: { verdict: recovered }",
       "unknown verdict 'recovered' (did you mean 'recovers'?)"},
      {"load: { a: { to: d, rate: 10/s } }\nexpect: { verdict: [steady, heldback] }",
       "unknown verdict 'heldback' (did you mean 'heldBack'?)"},
      {"load: { a: { to: d, clients: 3, rate: 10/s } }",
       "clients that wait for their answers have no rate of their own"},
      {"load: { a: { to: d, rate: 90000/s } }\nlasts: 7d", "events are more than"},
      {"seed: 1", "1:1 nothing is offered to anybody"},
      {"load: [", "not valid YAML"},
      {"config: weir.yaml", "no such file"},
  };
  Surroundings around;
  around.read = [](const std::string&) {
    return Result<std::vector<config::SourceFile>>(
        Error{Code::config_unreadable, "no such file", ""});
  };
  for (const Wrong& row : rows) {
    CAPTURE(row.text);
    const std::string told = problems_of(std::string(row.text) + "\ndependencies: { d: {} }",
                                         around);
    CAPTURE(told);
    CHECK(told.contains(row.told));
  }
}

TEST_CASE("a handler must not call itself through others") {
  CHECK(problems_of(std::string(kLoad) + R"(
dependencies:
  d: { server: { takes: 1ms, calls: { dependency: e } } }
  e: { server: { takes: 1ms, calls: { dependency: d } } }
)")
            .contains("calls itself, through others"));
}

constexpr const char* kConfig = R"(
version: 1
listen: { http: "127.0.0.1:8600" }
data: ./d
streams: { s: {} }
dependencies: { tracker: { url: "http://127.0.0.1:1", capacity: 50/s, policy: p } }
flows: { f: { from: { stream: s }, to: { http: { dependency: tracker } }, policy: p, peak: 20/s } }
policies: { p: { timeouts: { attempt: 2s }, retry: { maxAttempts: 4 } } }
)";

Surroundings with_config() {
  Surroundings around;
  around.read = [](const std::string& path) {
    return Result<std::vector<config::SourceFile>>({config::SourceFile{path, kConfig}});
  };
  return around;
}

TEST_CASE("the real configuration gives flows, policies, capacities and peaks") {
  const Scenario scenario = scenario_of("config: weir.yaml", with_config());
  CHECK(scenario.policy == "weir.yaml");
  CHECK(scenario.flows.at(0).spec.policy.retry.max_attempts == 4);
  CHECK(scenario.flows.at(0).load.rate == 20);
  CHECK(scenario.dependencies.at(0).server.capacity() == doctest::Approx(50));
}

TEST_CASE("a setting changes the scenario, or the configuration that it takes") {
  Surroundings around = with_config();
  around.settings = {{"policies.p.retry.maxAttempts", "2"},
                     {"load.f.rate", "5/s"},
                     {"dependencies.tracker.server.takes", "1s"}};
  const Scenario scenario = scenario_of("config: weir.yaml", around);
  CHECK(scenario.flows.at(0).spec.policy.retry.max_attempts == 2);
  CHECK(scenario.flows.at(0).load.rate == 5);
  CHECK(scenario.dependencies.at(0).server.takes == std::chrono::seconds{1});
}

TEST_CASE("what is wrong with a setting is told of this one, and of nothing in a file") {
  struct Row {
    Setting setting;
    const char* place;
    const char* told;
  };
  const Row rows[] = {
      {{"load.f.rate", "five"}, "--set load.f.rate=five", "'five' is no rate"},
      {{"load.f.rat", "5/s"}, "--set load.f.rat=5/s", "unknown setting 'rat'"},
      {{"load.g.rate", "5/s"}, "--set load.g.rate=5/s", "load 'g' needs 'to'"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.place);
    Surroundings around = with_config();
    around.settings = {{"seed", "3"}, row.setting};
    const auto problems = read_scenario({"s", "config: weir.yaml"}, around).problems;
    REQUIRE(problems.size() >= 1);
    CHECK(problems[0].place == config::Place{row.place, 0, 0});
    CHECK(problems[0].message.contains(row.told));
  }
}

TEST_CASE("a file without a value is wrong from its beginning") {
  for (const char* text : {"", "# nothing\n"})
    CHECK(problems_of(text).starts_with("1:1 nothing is offered to anybody"));
}

TEST_CASE("what a journal recorded takes the place of the load of the flows") {
  Surroundings around = with_config();
  around.recorded = {{"s", {std::chrono::seconds{1}, std::chrono::seconds{2}}}};
  const Scenario scenario = scenario_of("config: weir.yaml", around);
  CHECK(scenario.flows.at(0).load.arrivals == Arrivals::recorded);
  CHECK(scenario.flows.at(0).load.recorded.size() == 2);
  around.recorded = {{"other", {std::chrono::seconds{1}}}};
  CHECK(problems_of("config: weir.yaml", around).contains("nothing is offered to anybody"));
}

TEST_CASE("a setting is path=value") {
  CHECK(parse_setting("a.b=1").ok());
  for (const char* wrong : {"a.b", "=1", "a..b=1", ".a=1", "a.=1"})
    CHECK_FALSE(parse_setting(wrong).ok());
  config::YamlNode scalar{.kind = config::YamlNode::Kind::scalar, .text = "x"};
  CHECK_FALSE(apply({"a", "1"}, scalar).ok());
  config::YamlNode empty;
  CHECK_FALSE(apply({"a", "[1"}, empty).ok());
}

TEST_CASE("recorded arrivals: seconds, or times that count from the first") {
  Surroundings around;
  around.read = [](const std::string& path) {
    const std::string text = path == "seconds" ? "# a comment\n0.5\n2\n1\n"
                             : path == "times"
                                 ? "2026-11-21T14:00:00Z\r\n2026-11-21T14:00:00.250Z\n"
                             : path == "empty" ? "# nothing\n"
                             : path == "soon"  ? "# since\n1.5\nsoon\n"
                             : path == "late"  ? "1\n1e9\n"
                                               : "2026-11-21T14:00:01Z\n2026-11-21T14:00:00Z\n";
    return Result<std::vector<config::SourceFile>>({config::SourceFile{path, text}});
  };
  const auto arrivals = [&](const std::string& path) {
    return scenario_of("dependencies: { d: {} }\nload: { a: { to: d, recorded: " + path + " } }",
                       around)
        .flows.at(0)
        .load.recorded;
  };
  using std::chrono::milliseconds;
  CHECK(arrivals("seconds") ==
        std::vector<Duration>{milliseconds{500}, milliseconds{1000}, milliseconds{2000}});
  CHECK(arrivals("times") == std::vector<Duration>{milliseconds{0}, milliseconds{250}});
  const auto problem = [&](const std::string& path) {
    return config::render(
        read_scenario(
            {"s.yaml", "dependencies: { d: {} }\nload: { a: { to: d, recorded: " + path + " } }"},
            around)
            .problems);
  };
  CHECK(problem("empty").contains("s.yaml:2:31: error[WR1301]: 'empty' has no recorded arrivals"));
  CHECK(problem("soon").contains("soon:3:1: error[WR1301]: 'soon' is neither seconds nor a time"));
  CHECK(problem("late").contains("late:2:1: error[WR1301]: '1e9' is later than the 7 d"));
  CHECK(problem("back").contains("back:2:1: error[WR1301]: '2026-11-21T14:00:00Z' is before"));
}

}  // namespace
}  // namespace weir::sim
