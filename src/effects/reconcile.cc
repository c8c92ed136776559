// SPDX-License-Identifier: Apache-2.0
#include "effects/reconcile.h"

#include <algorithm>

#include <fmt/format.h>

#include "model/event.h"
#include "policy/filter.h"
#include "wire/percent.h"

namespace weir::effects {
namespace {

constexpr std::string_view kKey = "{key}";

// Patterns are over events: the answer is one whose data it is.
bool fits_pattern(const std::string& where, const Outcome& outcome) {
  if (where.empty()) return true;
  const auto filter = policy::Filter::compile(where);
  if (!filter.ok()) return false;
  Event event;
  event.datacontenttype = "application/json";
  event.data = outcome.body;
  event.has_data = true;
  return filter->matches(event);
}

bool fits(const std::vector<int>& statuses, const std::string& where, const Outcome& outcome) {
  return std::ranges::find(statuses, outcome.status) != statuses.end() &&
         fits_pattern(where, outcome);
}

}  // namespace

std::string reconcile_target(const ReconcileSpec& spec, std::string_view key) {
  std::string target = spec.path;
  const std::string encoded = wire::percent_encode(key);
  for (std::size_t at = target.find(kKey); at != target.npos;
       at = target.find(kKey, at + encoded.size())) {
    target.replace(at, kKey.size(), encoded);
  }
  return target;
}

Reconciled judge_reconcile(const ReconcileSpec& spec, const Outcome& outcome, std::string& detail) {
  if (outcome.fault != Fault::none) {
    detail = outcome.fault_detail;
    return Reconciled::unknown;
  }
  detail = fmt::format("asked about the key, it answered {}", outcome.status);
  if (outcome.body_left_out) {
    detail += " with more than is read";
    return Reconciled::unknown;
  }
  const bool yes = fits(spec.applied, spec.applied_where, outcome);
  const bool no = fits(spec.not_applied, spec.not_applied_where, outcome);
  if (yes == no) return Reconciled::unknown;
  return yes ? Reconciled::applied : Reconciled::notApplied;
}

}  // namespace weir::effects
