// SPDX-License-Identifier: Apache-2.0
// Judges the answers to a plan's checks. Pure: somebody else asked. What cannot be understood is
// inconclusive, never a yes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/plan_check.h"

namespace weir::policy {

struct ProbeAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
};

// A redirect is no answer: what lies behind it was not asked. An error means that no whole answer
// came in time and size.
CheckResult judge_http(const PlanCheck& check, const Result<ProbeAnswer>& answer);

// The HTTP API's instant query (prometheus.io/docs/prometheus/latest/querying/api): a scalar, or a
// vector of which every sample must be below. An empty vector and NaN are inconclusive.
CheckResult judge_prometheus(const PlanCheck& check, const Result<ProbeAnswer>& answer);
// The URL that asks it.
std::string prometheus_url(const PlanCheck& check);

CheckResult judge_time(const PlanCheck& check, WallTime now);

}  // namespace weir::policy
