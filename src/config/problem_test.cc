// SPDX-License-Identifier: Apache-2.0
#include "config/problem.h"

#include <doctest/doctest.h>

#include "config/testing/fault_rows.h"

namespace weir::config {
namespace {

using testing::no_secrets;

TEST_CASE("problems are shown with the line, a caret and a hint") {
  const auto outcome = load({{"conf/w.yaml",
                              "version: 1\n"
                              "streams: { s: { retention: 7 } }\n"
                              "dependencies:\n"
                              "  d: { url: http://h, capacty: 3/s }\n"
                              "data: [é, {}]\n"}},
                            no_secrets);
  CHECK(render(outcome.problems) ==
        R"(conf/w.yaml:2:28: error[WR1301]: 'retention' needs a unit
  streams: { s: { retention: 7 } }
                             ^
hint: did you mean 7s? units are us, ms, s, m, h, d
conf/w.yaml:4:23: error[WR1301]: unknown setting 'capacty' in dependency 'd'
    d: { url: http://h, capacty: 3/s }
                        ^
hint: did you mean 'capacity'?
conf/w.yaml:5:7: error[WR1301]: 'data' must be a single value
  data: [é, {}]
        ^
)");
  CHECK(render({}) == "");
}

TEST_CASE("text that is no configuration is shown at its place, too") {
  const auto shown = [](const std::string& text) {
    return render(load({{"w.yaml", text}}, no_secrets).problems);
  };
  CHECK(shown("version: 1\nstreams: { s: {}, s: {} }\nflow: {}\n") ==
        R"(w.yaml:2:19: error[WR1301]: 's' is given twice, first in line 2
  streams: { s: {}, s: {} }
                    ^
w.yaml:3:1: error[WR1301]: unknown setting 'flow' in the configuration
  flow: {}
  ^
hint: did you mean 'flows'?
)");
  CHECK(shown("version: 1\n---\nversion: 1\n") ==
        "w.yaml:2:1: error[WR1301]: only one document per file\n  ---\n  ^\n");
  CHECK(shown("version: 1\na: *b\n") ==
        "w.yaml:2:4: error[WR1301]: not valid YAML: the referenced anchor is not defined\n"
        "  a: *b\n     ^\n");
  // Once for the anchor, not again for each use of it.
  CHECK(load({{"w.yaml", "version: 1\nstreams: { a: &x { k: 1, k: 2 }, b: *x }\n"}}, no_secrets)
            .problems.size() == 3);
  // What would fill screens is left out.
  CHECK(shown("version: 1\nabc: " + std::string(1001, 'x')).find("xx") == std::string::npos);
}

TEST_CASE("columns and carets count characters, not bytes") {
  const auto outcome = load({{"w.yaml", "version: 1\n\"é→😀\": 1\r\nx: { \"ü\": 1, é: 2 }\n"}},
                            no_secrets);
  REQUIRE(outcome.problems.size() == 2);
  CHECK(outcome.problems[0].place == Place{"w.yaml", 2, 1});
  CHECK(outcome.problems[0].excerpt == "\"é→😀\": 1");
  const auto inner = load({{"w.yaml", "version: 1\nstreams: { é: 1, ü: 2 }\n"}}, no_secrets);
  REQUIRE(inner.problems.size() == 2);
  CHECK(inner.problems[1].place == Place{"w.yaml", 2, 18});
  CHECK(render({inner.problems[1]}).find("\n                   ^\n") != std::string::npos);
}

TEST_CASE("nothing in a configuration can steer a terminal") {
  const auto outcome = load({{"w.yaml",
                              "version: 1\n"
                              "listen: { \"\\e[31mred\\u202e\": 1 }\n"
                              "data: \"a\tb\" \xE2\x80\xAE\n"
                              "flow\xE2\x80\xAE: {} # \tx\n"}},
                            no_secrets);
  const std::string text = render(outcome.problems);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\t') == std::string::npos);
  CHECK(text.find("\xE2\x80\xAE") == std::string::npos);

  // The caret stands under the place in the line as it is shown.
  const Problem problem{.place = {"f", 1, 4}, .message = "m", .excerpt = "a\tbc"};
  CHECK(render({problem}) == "f:1:4: error[WR1301]: m\n  a\\u{9}bc\n         ^\n");
  const Problem beyond{.place = {"f", 1, 99}, .message = "m", .excerpt = "ab"};
  CHECK(render({beyond}) == "f:1:99: error[WR1301]: m\n  ab\n    ^\n");
}

}  // namespace
}  // namespace weir::config
