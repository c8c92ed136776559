// SPDX-License-Identifier: Apache-2.0
#include "config/bounds_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "policy/bound_lints.h"

namespace weir::config {
namespace {

using policy::SettingPlace;

struct Found {
  Place place;
  bool exact = false;  // the setting itself is written there
};

// "@url" and "timeouts.attempt" without what says where to look.
std::string_view plain_name(std::string_view setting) {
  return setting.starts_with('@') ? setting.substr(1) : setting;
}

// The setting, or the nearest thing that surrounds it.
Found walk(const Written& start, std::string_view path) {
  const YamlNode* at = start.node;
  while (!path.empty()) {
    const auto dot = path.find('.');
    const YamlNode* next = at->find(path.substr(0, dot));
    if (next == nullptr) return {{start.file, at->line, at->column}, false};
    at = next;
    path = dot == path.npos ? std::string_view{} : path.substr(dot + 1);
  }
  return {{start.file, at->line, at->column}, true};
}

Found find(const WrittenPlaces& written, const SettingPlace& wanted) {
  const auto& owners = wanted.owner == SettingPlace::Owner::flow ? written.flows
                                                                 : written.dependencies;
  const Written& owner = owners.at(wanted.name);
  if (wanted.setting.starts_with('@')) return walk(owner, plain_name(wanted.setting));
  const auto policy = written.policies.find(owner.policy);
  if (policy != written.policies.end()) return walk(policy->second, wanted.setting);
  return {walk(owner, "").place, false};
}

// "timeouts.attempt of flow sync at weir.yaml:12".
std::string named(const WrittenPlaces& written, const SettingPlace& other) {
  const Found found = find(written, other);
  const bool flow = other.owner == SettingPlace::Owner::flow;
  const std::string where = found.exact
                                ? fmt::format("at {}:{}", found.place.file, found.place.line)
                                : "by default";
  return fmt::format("{} of {} {} {}", plain_name(other.setting), flow ? "flow" : "dependency",
                     other.name, where);
}

Problem to_problem(const WrittenPlaces& written, const policy::Finding& finding,
                   const Found& found) {
  Problem problem{.place = found.place, .message = finding.message, .hint = finding.hint};
  problem.severity = finding.rejected ? Severity::error : Severity::warning;
  problem.code = Code::bounds_broken;
  problem.lint = finding.id;
  std::string others;
  for (const SettingPlace& other : finding.others)
    others += (others.empty() ? "" : "; ") + named(written, other);
  if (!others.empty()) problem.message += fmt::format(" ({})", others);
  return problem;
}

// What several flows of one policy have in common is said once.
bool is_said(const std::vector<Problem>& problems, const policy::Finding& finding,
             const Place& place) {
  return std::ranges::any_of(problems, [&](const Problem& problem) {
    return problem.place == place && problem.lint == finding.id &&
           problem.message.starts_with(finding.message);
  });
}

}  // namespace

void check_bounds(const Config& config, const WrittenPlaces& written, std::vector<Problem>& errors,
                  std::vector<Problem>& warnings) {
  for (const policy::Finding& finding : policy::lint_bounds(config, policy::bound_of(config))) {
    const Found found = find(written, finding.at);
    if (finding.only_if_written && !found.exact) continue;
    auto& into = finding.rejected ? errors : warnings;
    if (!is_said(into, finding, found.place)) into.push_back(to_problem(written, finding, found));
  }
}

}  // namespace weir::config
