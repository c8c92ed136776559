// SPDX-License-Identifier: Apache-2.0
// What goes wrong when: `- { outage: tracker, at: 20s, for: 10s }`.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "sim/scenario_sections.h"

namespace weir::sim {
namespace {

using config::MapReader;

constexpr Duration kShortest = std::chrono::milliseconds{1};
constexpr std::size_t kFaultsMax = 1000;
constexpr FaultKind kKinds[] = {FaultKind::outage, FaultKind::hang,     FaultKind::pause,
                                FaultKind::slow,   FaultKind::brownOut, FaultKind::errors,
                                FaultKind::spike};

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const FaultKind kind : kKinds) names.emplace_back(to_text(kind));
  return names;
}

void read_amount(MapReader& map, FaultSpec& into) {
  switch (into.kind) {
    case FaultKind::slow:
    case FaultKind::spike:
      if (map.required("times")) map.number("times", into.amount, 0.001, 100'000);
      break;
    case FaultKind::brownOut:
      if (map.required("to")) share(map, "to", into.amount);
      into.amount = std::max(into.amount, 1e-6);
      break;
    case FaultKind::errors:
      share(map, "share", into.amount);
      map.count("status", into.status, 300, 599);  // with 2xx nothing would be wrong
      break;
    case FaultKind::outage:
    case FaultKind::hang:
    case FaultKind::pause: break;
  }
}

void read_fault(MapReader map, Scenario& into) {
  std::vector<FaultKind> said;
  for (const FaultKind kind : kKinds) {
    if (map.node().find(to_text(kind)) != nullptr) said.push_back(kind);
  }
  if (said.size() != 1) {
    const config::YamlMember* first = map.node().members.empty() ? nullptr
                                                                 : &map.node().members.front();
    const std::string known = fmt::format("one of {}", fmt::join(kind_names(), ", "));
    return map.problem(
        first == nullptr ? "" : first->key.text,
        said.empty() ? "this fault does not say what is wrong"
                     : "this fault says more than one thing",
        said.empty() && first != nullptr ? did_you_mean(first->key.text, kind_names()) : known);
  }
  FaultSpec fault{.kind = said.front()};
  const bool of_flow = fault.kind == FaultKind::spike;
  const std::string_view key = to_text(fault.kind);
  const auto names = of_flow ? flow_names(into) : dependency_names(into);
  const auto target = find_named(map, key, of_flow ? "load" : "dependency", names);
  if (target) fault.target = *target;
  if (target) fault.target_name = names[*target];
  if (map.required("at")) map.duration("at", fault.at);
  fault.lasts = kShortest;
  if (map.required("for")) map.duration("for", fault.lasts, kShortest);
  read_amount(map, fault);
  if (fault.at + fault.lasts > into.lasts)
    map.problem("for",
                fmt::format("the fault ends after {}, and the scenario lasts {}",
                            weir::to_text(fault.at + fault.lasts), weir::to_text(into.lasts)),
                "make 'lasts' longer");
  map.finish();
  if (target) into.faults.push_back(std::move(fault));
}

}  // namespace

std::string_view to_text(FaultKind kind) {
  switch (kind) {
    case FaultKind::outage: return "outage";
    case FaultKind::hang: return "hang";
    case FaultKind::pause: return "pause";
    case FaultKind::slow: return "slow";
    case FaultKind::brownOut: return "brownOut";
    case FaultKind::errors: return "errors";
    case FaultKind::spike: return "spike";
  }
  return "outage";
}

void read_faults(MapReader& top, Scenario& into) {
  const config::YamlNode* list = top.take("faults");
  if (list == nullptr) return;
  if (list->kind != config::YamlNode::Kind::list || list->items.size() > kFaultsMax) {
    return top.problem("faults", fmt::format("'faults' must be a list of at most {}", kFaultsMax),
                       "- { outage: tracker, at: 20s, for: 10s }");
  }
  for (const config::YamlNode& item : list->items)
    read_fault(MapReader(top.report(), top.file(), item, "a fault"), into);
}

}  // namespace weir::sim
