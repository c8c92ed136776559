// SPDX-License-Identifier: Apache-2.0
#include "policy/plan_check.h"

#include <doctest/doctest.h>

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

std::string judged(const CheckResult& result) {
  return fmt::format("{}: {}", to_text(result.verdict), result.detail);
}

const Error kNoAnswer{Code::server_unreachable, "no answer in 2s", ""};

TEST_CASE("an HTTP check") {
  const PlanCheck plain{.kind = CheckKind::http, .subject = "http://t/healthz"};
  const PlanCheck version{
      .kind = CheckKind::http, .subject = "http://t/", .header = "X-Version", .value = "2"};
  struct Row {
    const PlanCheck& check;
    Result<ProbeAnswer> answer;
    std::string expected;
  };
  const Row rows[] = {
      {plain, ProbeAnswer{.status = 200}, "successful: it answered 200"},
      {plain, ProbeAnswer{.status = 204}, "failed: it answered 204"},
      {plain, ProbeAnswer{.status = 503}, "failed: it answered 503"},
      {plain, ProbeAnswer{.status = 302}, "inconclusive: it answered 302, which leads elsewhere"},
      {plain, kNoAnswer, "inconclusive: no answer in 2s"},
      {version, ProbeAnswer{.status = 200}, "inconclusive: no header X-Version"},
      {version, ProbeAnswer{.status = 200, .headers = {{"x-version", "2"}}},
       "successful: X-Version: 2"},
      {version, ProbeAnswer{.status = 200, .headers = {{"x-version", "1\x1b"}}},
       "failed: X-Version: 1\\u{1b}"},
  };
  for (const Row& row : rows) CHECK(judged(judge_http(row.check, row.answer)) == row.expected);
}

TEST_CASE("a Prometheus check: every sample below, and never a yes without a number") {
  const PlanCheck check{.kind = CheckKind::prometheus, .query = "errors", .below = 0.5};
  const auto vector = [](const std::string& samples) {
    return ProbeAnswer{.status = 200,
                       .body = R"({"status":"success","data":{"resultType":"vector","result":[)" +
                               samples + "]}}"};
  };
  struct Row {
    Result<ProbeAnswer> answer;
    std::string expected;
  };
  const Row rows[] = {
      {vector(R"({"metric":{},"value":[1,"0.25"]})"), "successful: it is 0.25"},
      {vector(R"({"value":[1,"0.25"]},{"value":[1,"0.5"]})"), "failed: it is 0.5"},
      {vector(R"({"value":[1,"+Inf"]})"), "failed: it is inf"},
      {vector(R"({"value":[1,"0.1"]},{"value":[1,"NaN"]})"),
       "inconclusive: the query gave no numbers"},
      {vector(""), "inconclusive: the query gave no numbers"},
      {vector(R"({"value":[1]})"), "inconclusive: the query gave no numbers"},
      {ProbeAnswer{.status = 200, .body = R"({"data":{"resultType":"scalar","result":[1,"0.1"]}})"},
       "successful: it is 0.1"},
      {ProbeAnswer{.status = 200, .body = R"({"data":{"resultType":"matrix","result":[]}})"},
       "inconclusive: the query gave no numbers"},
      {ProbeAnswer{.status = 200, .body = "<html>"}, "inconclusive: the query gave no numbers"},
      {ProbeAnswer{.status = 200, .body = "[]"}, "inconclusive: the query gave no numbers"},
      {ProbeAnswer{.status = 400, .body = "{}"}, "inconclusive: Prometheus answered 400"},
      {kNoAnswer, "inconclusive: no answer in 2s"},
  };
  for (const Row& row : rows) CHECK(judged(judge_prometheus(check, row.answer)) == row.expected);
}

TEST_CASE("the query goes into the URL") {
  CHECK(prometheus_url({.subject = "http://p/api/v1/query", .query = "a{b=\"c\"} > 1"}) ==
        "http://p/api/v1/query?query=a%7Bb%3D%22c%22%7D%20%3E%201");
  CHECK(prometheus_url({.subject = "http://p/q?tenant=1", .query = "up"}) ==
        "http://p/q?tenant=1&query=up");
}

TEST_CASE("a window of the day, also over midnight") {
  const auto at = [](Duration since_midnight) {
    return WallTime{} + 24h * 20'000 + since_midnight;
  };
  const PlanCheck night{.kind = CheckKind::timeWindow, .from = 22h, .until = 6h};
  const PlanCheck noon{.kind = CheckKind::timeWindow, .from = 12h, .until = 13h};
  CHECK(judge_time(night, at(21h + 59min)).verdict == Verdict::failed);
  CHECK(judge_time(night, at(22h)).verdict == Verdict::successful);
  CHECK(judge_time(night, at(3h)).verdict == Verdict::successful);
  CHECK(judge_time(night, at(6h)).verdict == Verdict::failed);
  CHECK(judge_time(noon, at(12h + 30min)).verdict == Verdict::successful);
  CHECK(judge_time(noon, at(13h)).verdict == Verdict::failed);
  CHECK(judge_time(noon, at(13h)).detail == "it is 13:00");
}

}  // namespace
}  // namespace weir::policy
