// SPDX-License-Identifier: Apache-2.0
#include "policy/plan_check.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"
#include "wire/json.h"
#include "wire/percent.h"

namespace weir::policy {
namespace {

constexpr std::size_t kDetailMax = 200;
constexpr Duration kDay = std::chrono::hours{24};

CheckResult result_of(const PlanCheck& check, Verdict verdict, std::string detail) {
  if (detail.size() > kDetailMax) detail.resize(kDetailMax);
  return {verdict, describe(check), printable(detail)};
}

// Prometheus writes numbers as strings: "0.25", "NaN", "+Inf".
std::optional<double> sample_of(wire::Json pair) {
  if (!pair.is(wire::JsonType::array) || pair.size() != 2) return std::nullopt;
  const wire::Json written = *++pair.begin();
  if (!written.is(wire::JsonType::string)) return std::nullopt;
  const std::string text(written.string());
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
  return whole && !std::isnan(value) ? std::optional<double>{value} : std::nullopt;
}

// The samples of {"status":"success","data":{"resultType":…,"result":…}}; empty if there are none
// or one of them is not a number.
std::vector<double> samples_of(wire::Json root) {
  const auto data = root.is(wire::JsonType::object) ? root.find("data") : std::nullopt;
  if (!data || !data->is(wire::JsonType::object)) return {};
  const auto type = data->find("resultType");
  const auto result = data->find("result");
  if (!type || !type->is(wire::JsonType::string) || !result) return {};
  std::vector<double> samples;
  if (type->string() == "scalar") {
    if (const auto sample = sample_of(*result)) samples.push_back(*sample);
    return samples;
  }
  if (type->string() != "vector" || !result->is(wire::JsonType::array)) return {};
  for (const wire::Json series : *result) {
    const auto pair = series.is(wire::JsonType::object) ? series.find("value") : std::nullopt;
    const auto sample = pair ? sample_of(*pair) : std::nullopt;
    if (!sample) return {};
    samples.push_back(*sample);
  }
  return samples;
}

}  // namespace

CheckResult judge_http(const PlanCheck& check, const Result<ProbeAnswer>& answer) {
  if (!answer.ok()) return result_of(check, Verdict::inconclusive, answer.error().detail);
  if (answer->status >= 300 && answer->status < 400 &&
      static_cast<std::uint32_t>(answer->status) != check.status) {
    return result_of(check, Verdict::inconclusive,
                     fmt::format("it answered {}, which leads elsewhere", answer->status));
  }
  if (static_cast<std::uint32_t>(answer->status) != check.status)
    return result_of(check, Verdict::failed, fmt::format("it answered {}", answer->status));
  if (check.header.empty())
    return result_of(check, Verdict::successful, fmt::format("it answered {}", answer->status));
  const std::string name = to_lower(check.header);
  const auto header = std::ranges::find(answer->headers, name,
                                        &std::pair<std::string, std::string>::first);
  if (header == answer->headers.end())
    return result_of(check, Verdict::inconclusive, fmt::format("no header {}", check.header));
  return result_of(check, header->second == check.value ? Verdict::successful : Verdict::failed,
                   fmt::format("{}: {}", check.header, header->second));
}

std::string prometheus_url(const PlanCheck& check) {
  return fmt::format("{}{}query={}", check.subject,
                     check.subject.find('?') == std::string::npos ? '?' : '&',
                     wire::percent_encode(check.query));
}

CheckResult judge_prometheus(const PlanCheck& check, const Result<ProbeAnswer>& answer) {
  if (!answer.ok()) return result_of(check, Verdict::inconclusive, answer.error().detail);
  if (answer->status != 200) {
    return result_of(check, Verdict::inconclusive,
                     fmt::format("Prometheus answered {}", answer->status));
  }
  const auto document = wire::parse_json(answer->body);
  const std::vector<double> samples = document.ok() ? samples_of(document->root())
                                                    : std::vector<double>{};
  if (samples.empty()) return result_of(check, Verdict::inconclusive, "the query gave no numbers");
  const double highest = std::ranges::max(samples);
  return result_of(check, highest < check.below ? Verdict::successful : Verdict::failed,
                   fmt::format("it is {:g}", highest));
}

CheckResult judge_time(const PlanCheck& check, WallTime now) {
  const Duration since_midnight = ((now - WallTime{}) % kDay + kDay) % kDay;
  const bool after = since_midnight >= check.from;
  const bool before = since_midnight < check.until;
  const bool inside = check.from <= check.until ? after && before : after || before;
  return result_of(check, inside ? Verdict::successful : Verdict::failed,
                   "it is " + to_day_time(since_midnight));
}

}  // namespace weir::policy
