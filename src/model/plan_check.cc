// SPDX-License-Identifier: Apache-2.0
#include "model/plan_check.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/assert.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, 6> kCheckKinds = {"breakerClosed", "flow", "timeWindow",
                                                         "noneInDoubt",   "http", "prometheus"};
constexpr std::array<std::string_view, 3> kVerdicts = {"successful", "failed", "inconclusive"};

}  // namespace

std::string_view to_text(CheckKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  WEIR_ASSERT(index < kCheckKinds.size());
  return kCheckKinds[index];
}

std::string_view to_text(Verdict verdict) {
  const auto index = static_cast<std::size_t>(verdict);
  WEIR_ASSERT(index < kVerdicts.size());
  return kVerdicts[index];
}

std::string to_day_time(Duration since_midnight) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(since_midnight).count();
  return fmt::format("{:02}:{:02}", minutes / 60, minutes % 60);
}

std::string describe(const PlanCheck& check) {
  switch (check.kind) {
    case CheckKind::breakerClosed:
      return check.duration == Duration{} ? fmt::format("breaker of {} closed", check.subject)
                                          : fmt::format("breaker of {} closed for {}",
                                                        check.subject, to_text(check.duration));
    case CheckKind::flowStatus:
      return fmt::format("flow {} {}", check.subject, check.paused ? "paused" : "active");
    case CheckKind::timeWindow:
      return fmt::format("between {} and {} UTC", to_day_time(check.from),
                         to_day_time(check.until));
    case CheckKind::noneInDoubt: return "no delivery in doubt";
    case CheckKind::http:
      if (check.header.empty()) return fmt::format("{} answers {}", check.subject, check.status);
      return fmt::format("{} answers {} with {}: {}", check.subject, check.status, check.header,
                         check.value);
    case CheckKind::prometheus: return fmt::format("{} below {:g}", check.query, check.below);
  }
  return "";
}

Verdict overall(const std::vector<CheckResult>& results) {
  const auto any = [&](Verdict verdict) {
    return std::ranges::any_of(results, [&](const CheckResult& r) { return r.verdict == verdict; });
  };
  if (any(Verdict::failed)) return Verdict::failed;
  return any(Verdict::inconclusive) ? Verdict::inconclusive : Verdict::successful;
}

}  // namespace weir
