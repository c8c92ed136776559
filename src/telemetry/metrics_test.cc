// SPDX-License-Identifier: Apache-2.0
#include "telemetry/metrics.h"

#include <limits>
#include <string>

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace weir::telemetry {
namespace {

// Without the family that counts overflows, which is always the last.
std::string text_of(const Registry& registry) {
  const std::string text = registry.text();
  const auto end = text.find("# HELP weir_metric_overflows_total ");
  REQUIRE(end != text.npos);
  return text.substr(0, end);
}

std::uint64_t overflows(const Registry& registry) {
  const std::string text = registry.text();
  return std::stoull(text.substr(text.rfind(' ') + 1));
}

std::size_t lines_with(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_CASE("the text is that of Prometheus 0.0.4") {
  Registry registry;
  registry.counter("weir_things_total", "Things, by kind.", {{"kind", "b"}}).add(3);
  registry.counter("weir_things_total", "Things, by kind.", {{"kind", "a"}, {"of", "x"}}).add();
  registry.gauge("weir_temperature", "How warm it is.", [](Registry::Sample& sample) {
    sample.add(-1.5);
    sample.add(20, {{"room", "engine"}});
  });
  Histogram& latency = registry.histogram("weir_wait_seconds", "Waiting.", {0.005, 0.1, 1},
                                          {{"flow", "sync"}});
  for (const double seconds : {0.001953125, 0.00390625, 0.25, 3.0}) latency.observe(seconds);
  CHECK(registry.text() ==
        "# HELP weir_things_total Things, by kind.\n"
        "# TYPE weir_things_total counter\n"
        "weir_things_total{kind=\"a\",of=\"x\"} 1\n"
        "weir_things_total{kind=\"b\"} 3\n"
        "# HELP weir_temperature How warm it is.\n"
        "# TYPE weir_temperature gauge\n"
        "weir_temperature -1.5\n"
        "weir_temperature{room=\"engine\"} 20\n"
        "# HELP weir_wait_seconds Waiting.\n"
        "# TYPE weir_wait_seconds histogram\n"
        "weir_wait_seconds_bucket{flow=\"sync\",le=\"0.005\"} 2\n"
        "weir_wait_seconds_bucket{flow=\"sync\",le=\"0.1\"} 2\n"
        "weir_wait_seconds_bucket{flow=\"sync\",le=\"1\"} 3\n"
        "weir_wait_seconds_bucket{flow=\"sync\",le=\"+Inf\"} 4\n"
        "weir_wait_seconds_sum{flow=\"sync\"} 3.255859375\n"
        "weir_wait_seconds_count{flow=\"sync\"} 4\n"
        "# HELP weir_metric_overflows_total Label sets counted as other because their family was "
        "full.\n"
        "# TYPE weir_metric_overflows_total counter\n"
        "weir_metric_overflows_total 0\n");
}

TEST_CASE("without labels there are no braces, except for the buckets") {
  Registry registry;
  registry.counter("weir_a_total", "A.");
  registry.histogram("weir_b_seconds", "B.", {1}).observe(2);
  CHECK(text_of(registry) ==
        "# HELP weir_a_total A.\n# TYPE weir_a_total counter\nweir_a_total 0\n"
        "# HELP weir_b_seconds B.\n# TYPE weir_b_seconds histogram\n"
        "weir_b_seconds_bucket{le=\"1\"} 0\nweir_b_seconds_bucket{le=\"+Inf\"} 1\n"
        "weir_b_seconds_sum 2\nweir_b_seconds_count 1\n");
}

TEST_CASE("label values and help texts are escaped") {
  Registry registry;
  registry.counter("weir_a_total", "One \"line\"\nwith a \\.", {{"flow", "a\"b\\c\nd"}}).add();
  CHECK(text_of(registry) ==
        "# HELP weir_a_total One \"line\"\\nwith a \\\\.\n# TYPE weir_a_total counter\n"
        "weir_a_total{flow=\"a\\\"b\\\\c\\nd\"} 1\n");
}

TEST_CASE("large counts stay exact, and there are words for what is no number") {
  Registry registry;
  registry.counter("weir_a_total", "A.").add(9'007'199'254'740'993);  // 2^53 + 1
  registry.gauge("weir_b", "B.", [](Registry::Sample& sample) {
    sample.add(std::numeric_limits<double>::infinity(), {{"x", "1"}});
    sample.add(-std::numeric_limits<double>::infinity(), {{"x", "2"}});
    sample.add(std::numeric_limits<double>::quiet_NaN(), {{"x", "3"}});
    sample.add(1e300, {{"x", "4"}});
  });
  const std::string text = text_of(registry);
  CHECK(text.contains("weir_a_total 9007199254740993\n"));
  CHECK(text.contains("{x=\"1\"} +Inf\n"));
  CHECK(text.contains("{x=\"2\"} -Inf\n"));
  CHECK(text.contains("{x=\"3\"} NaN\n"));
  CHECK(text.contains("{x=\"4\"} 1e+300\n"));
}

TEST_CASE("one name and one set of labels is one handle") {
  Registry registry;
  Counter& first = registry.counter("weir_a_total", "A.", {{"flow", "x"}});
  first.add(2);
  CHECK(&registry.counter("weir_a_total", "A.", {{"flow", "x"}}) == &first);
  CHECK(&registry.counter("weir_a_total", "A.", {{"flow", "y"}}) != &first);
  for (int i = 0; i < 400; ++i) {
    registry.counter("weir_a_total", "A.", {{"flow", std::to_string(i)}}).add();
  }
  CHECK(first.value() == 2);
  CHECK(&registry.counter("weir_a_total", "A.", {{"flow", "x"}}) == &first);
}

TEST_CASE("gauges and foreign totals are asked at every scrape") {
  Registry registry;
  int asked = 0;
  registry.gauge("weir_a", "A.", [&](Registry::Sample& sample) { sample.add(++asked); });
  registry.counter_from("weir_b_total", "B.", [](Registry::Sample& sample) { sample.add(7); });
  CHECK(asked == 0);
  CHECK(text_of(registry).contains("\nweir_a 1\n"));
  CHECK(text_of(registry).contains("\nweir_a 2\n"));
  CHECK(text_of(registry).contains("# TYPE weir_b_total counter\nweir_b_total 7\n"));
}

TEST_CASE("a family that is full counts under other, and says how often") {
  Registry registry;
  const auto add = [&](int number) {
    const std::string value = std::to_string(number);
    registry.counter("weir_a_total", "A.", {{"flow", "f"}, {"type", value}}).add();
  };
  for (int i = 0; i < static_cast<int>(kLabelSetsMax); ++i) add(i);
  CHECK(overflows(registry) == 0);
  for (int i = 0; i < 100'000; ++i) add(1000 + i);
  add(3);  // known ones go on
  const std::string text = registry.text();
  CHECK(lines_with(text, "\nweir_a_total{") == kLabelSetsMax + 1);
  CHECK(text.contains("weir_a_total{flow=\"other\",type=\"other\"} 100000\n"));
  CHECK(text.contains("weir_a_total{flow=\"f\",type=\"3\"} 2\n"));
  CHECK(overflows(registry) == 100'000);

  registry.counter("weir_b_total", "B.", {{"flow", "f"}}).add();  // other families have room
  CHECK(registry.text().contains("weir_b_total{flow=\"f\"} 1\n"));
  for (std::size_t i = 0; i <= kLabelSetsMax; ++i) {
    registry.histogram("weir_c_seconds", "C.", {1}, {{"flow", std::to_string(i)}}).observe(0);
  }
  CHECK(registry.text().contains("weir_c_seconds_count{flow=\"other\"} 1\n"));
}

TEST_CASE("an observation is in the first bucket that holds it; the sum and the count agree") {
  CHECK(rc::check("histogram", [](const std::vector<std::uint16_t>& values) {
    Histogram histogram({10, 100, 1000});
    double sum = 0;
    std::vector<std::uint64_t> expected(4);
    for (const double value : values) {
      histogram.observe(value);
      sum += value;
      ++expected[value <= 10 ? 0 : value <= 100 ? 1 : value <= 1000 ? 2 : 3];
    }
    RC_ASSERT(histogram.counts() == expected);
    RC_ASSERT(histogram.sum() == sum);
  }));
}

TEST_CASE("quantiles are the upper bounds of their buckets") {
  Histogram histogram({1, 2, 5});
  CHECK(histogram.quantile(0.5) == 0);
  for (int i = 0; i < 90; ++i) histogram.observe(0.5);
  for (int i = 0; i < 9; ++i) histogram.observe(1.5);
  histogram.observe(3);
  CHECK(histogram.quantile(0.5) == 1);
  CHECK(histogram.quantile(0.9) == 1);
  CHECK(histogram.quantile(0.95) == 2);
  CHECK(histogram.quantile(0.99) == 2);
  CHECK(histogram.quantile(1) == 5);
  histogram.observe(1000);
  CHECK(histogram.quantile(1) == 5);  // beyond the last bound nothing better is known
}

}  // namespace
}  // namespace weir::telemetry
