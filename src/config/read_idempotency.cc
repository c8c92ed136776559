// SPDX-License-Identifier: Apache-2.0
// What the ledger does with the effects on a dependency.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/sections.h"
#include "config/target_path.h"

namespace weir::config {
namespace {

void read_verdict(MapReader map, std::vector<int>& statuses, std::string& where) {
  std::vector<std::string> written;
  map.strings("status", written);
  for (const std::string& status : written) {
    const bool good = status.size() == 3 && status[0] >= '1' && status[0] <= '5' &&
                      std::ranges::all_of(status, [](char c) { return c >= '0' && c <= '9'; });
    if (good) statuses.push_back(std::stoi(status));
    if (!good) map.problem("status", fmt::format("'{}' is no HTTP status", status));
  }
  map.required("status");
  read_where(map, where);
  map.finish();
}

// One answer must not say that it happened and that it did not.
void check_apart(MapReader& map, const ReconcileSpec& spec) {
  if (!spec.applied_where.empty() && !spec.not_applied_where.empty()) return;
  for (const int status : spec.not_applied) {
    if (std::ranges::find(spec.applied, status) == spec.applied.end()) continue;
    map.problem("notApplied", fmt::format("{} is in 'applied', too", status),
                "a status of its own for each, or a `where` over the answer in both");
  }
}

void read_reconcile(MapReader map, ReconcileSpec& into) {
  map.text("path", into.path);
  if (map.required("path")) {
    if (!is_target_path(into.path)) {
      map.problem("path", fmt::format("'{}' is no path", printable(into.path)),
                  "it starts with '/', is percent-encoded, and has no '.' or '..' as a segment");
    } else if (!into.path.contains("{key}")) {
      map.problem("path", fmt::format("'{}' does not ask for one effect", into.path),
                  "a path below the dependency's url with {key} in it: /payments?key={key}");
    }
  }
  if (map.required("applied")) {
    if (auto yes = map.map("applied"))
      read_verdict(std::move(*yes), into.applied, into.applied_where);
  }
  if (map.required("notApplied")) {
    if (auto no = map.map("notApplied"))
      read_verdict(std::move(*no), into.not_applied, into.not_applied_where);
  }
  check_apart(map, into);
  map.duration("after", into.after);
  map.finish();
}

}  // namespace

IdempotencySpec read_idempotency(MapReader map) {
  IdempotencySpec spec;
  int rule = static_cast<int>(spec.on_in_doubt);
  map.choice("onInDoubt", {"hold", "retryWithKey", "reconcile"}, rule);
  spec.on_in_doubt = static_cast<OnInDoubt>(rule);
  map.duration("downstreamRetention", spec.downstream_retention);
  map.duration("window", spec.window, std::chrono::hours{1});
  if (auto reconcile = map.map("reconcile")) read_reconcile(std::move(*reconcile), spec.reconcile);
  if (spec.on_in_doubt == OnInDoubt::retryWithKey && spec.downstream_retention == Duration{}) {
    map.problem("onInDoubt", "nobody says how long the dependency remembers keys",
                "downstreamRetention: 24h, from its documentation; without one: onInDoubt: hold");
  }
  if (spec.on_in_doubt == OnInDoubt::reconcile && spec.reconcile.path.empty()) {
    map.problem("onInDoubt", "nobody says how the dependency is asked",
                "reconcile: { path: /payments?key={key}, applied: { status: 200 }, notApplied: "
                "{ status: 404 } }");
  }
  map.not_yet({"header", "key", "fingerprint", "inProgressExpiration"});
  map.finish();
  return spec;
}

}  // namespace weir::config
