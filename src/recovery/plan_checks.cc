// SPDX-License-Identifier: Apache-2.0
#include "recovery/plan_checks.h"

#include <algorithm>

#include <fmt/format.h>

namespace weir::recovery {
namespace {

CheckResult breaker_result(const Live& live, const PlanCheck& check) {
  const auto dependency = live.dependency(check.subject);
  if (!dependency) {
    return {Verdict::inconclusive, describe(check),
            fmt::format("no dependency '{}'", check.subject)};
  }
  if (!dependency->has_breaker) return {Verdict::inconclusive, describe(check), "it has none"};
  if (dependency->breaker_open)
    return {Verdict::failed, describe(check), "it is " + dependency->breaker};
  const Duration closed_for = dependency->closed_for;
  return {closed_for >= check.duration ? Verdict::successful : Verdict::failed, describe(check),
          "it has been for " + weir::to_text(closed_for)};
}

CheckResult flow_result(const Live& live, const PlanCheck& check) {
  const std::vector<LiveFlow> flows = live.flows();
  const auto flow = std::ranges::find_if(
      flows, [&](const LiveFlow& one) { return one.record.name == check.subject; });
  if (flow == flows.end() || flow->spec == nullptr)
    return {Verdict::inconclusive, describe(check), fmt::format("no flow '{}'", check.subject)};
  const bool paused = flow->record.status == FlowStatus::paused;
  return {paused == check.paused ? Verdict::successful : Verdict::failed, describe(check),
          fmt::format("it is {}", to_text(flow->record.status))};
}

CheckResult doubt_result(const PlanCheck& check, std::optional<bool> any_in_doubt) {
  if (!any_in_doubt) return {Verdict::inconclusive, describe(check), "they could not be read"};
  return {*any_in_doubt ? Verdict::failed : Verdict::successful, describe(check),
          *any_in_doubt ? "at least one is" : "none is"};
}

async::Task<CheckResult> ask(const Live& live, const PlanCheck& check, WallTime now,
                             std::optional<bool> any_in_doubt) {
  switch (check.kind) {
    case CheckKind::breakerClosed: co_return breaker_result(live, check);
    case CheckKind::flowStatus: co_return flow_result(live, check);
    case CheckKind::timeWindow: co_return policy::judge_time(check, now);
    case CheckKind::noneInDoubt: co_return doubt_result(check, any_in_doubt);
    case CheckKind::http: {
      auto answer = co_await live.probe(check.subject, check.duration);
      co_return policy::judge_http(check, answer);
    }
    case CheckKind::prometheus: {
      auto answer = co_await live.probe(policy::prometheus_url(check), check.duration);
      co_return policy::judge_prometheus(check, answer);
    }
  }
  co_return CheckResult{};
}

}  // namespace

async::Task<std::vector<CheckResult>> ask_all(const Live& live, std::vector<PlanCheck> checks,
                                              WallTime now, std::optional<bool> any_in_doubt) {
  std::vector<CheckResult> results;
  for (const PlanCheck& check : checks) {
    CheckResult result = co_await ask(live, check, now, any_in_doubt);
    results.push_back(std::move(result));
  }
  co_return results;
}

std::string what_fails(const std::vector<CheckResult>& results) {
  std::string text;
  for (const CheckResult& result : results) {
    if (result.verdict == Verdict::successful) continue;
    text += fmt::format("{}{} ({}{})", text.empty() ? "" : "; ", result.check,
                        result.verdict == Verdict::inconclusive ? "inconclusive: " : "",
                        result.detail);
  }
  return text;
}

}  // namespace weir::recovery
