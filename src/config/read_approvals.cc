// SPDX-License-Identifier: Apache-2.0
// What needs the yes of another person: `approvals`.
#include <fmt/format.h>

#include "base/text.h"
#include "config/sections.h"

namespace weir::config {
namespace {

constexpr std::uint64_t kDeliveriesMax = 1'000'000'000;
constexpr Duration kApprovalLastsMax = std::chrono::hours{24 * 7};

void read_limit(MapReader& map, std::optional<std::uint64_t>& into) {
  if (!map.node().find("deliveries")) return;
  std::uint64_t limit = 0;
  map.count("deliveries", limit, 0, kDeliveriesMax);
  into = limit;
}

RoleSet read_glass(MapReader map) {
  RoleSet roles;
  std::vector<std::string> names;
  if (map.required("roles")) map.strings("roles", names);
  for (const std::string& name : names) {
    const auto role = parse_role(name);
    if (!role) {
      map.problem("roles", fmt::format("'{}' is no role", printable(name)),
                  did_you_mean(name, role_names()));
    } else if (*role != Role::admin && *role != Role::operate) {
      map.problem("roles", fmt::format("'{}' does none of what is behind the glass", name),
                  "operator or admin");
    } else {
      roles.add(*role);
    }
  }
  map.finish();
  return roles;
}

}  // namespace

ApprovalsSpec read_approvals(MapReader map) {
  ApprovalsSpec spec;
  if (auto replay = map.map("replay")) {
    read_limit(*replay, spec.replay_deliveries);
    replay->flag("inDoubt", spec.replay_in_doubt);
    replay->flag("delivered", spec.replay_delivered);
    replay->flag("edited", spec.replay_edited);
    replay->finish();
  }
  if (auto discard = map.map("discard")) {
    read_limit(*discard, spec.discard_deliveries);
    discard->flag("inDoubt", spec.discard_in_doubt);
    discard->finish();
  }
  if (auto effects = map.map("effects")) {
    effects->flag("resolve", spec.effects_resolve);
    effects->finish();
  }
  map.duration("expires", spec.expires, std::chrono::seconds{1});
  if (spec.expires > kApprovalLastsMax) map.problem("expires", "an approval lasts for at most 7d");
  if (auto glass = map.map("breakGlass")) spec.break_glass = read_glass(std::move(*glass));
  map.finish();
  return spec;
}

}  // namespace weir::config
