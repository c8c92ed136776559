// SPDX-License-Identifier: Apache-2.0
// The dependencies of a scenario: what their policy is told, and what they really do.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/scenario_sections.h"
#include "sim/stage.h"

namespace weir::sim {
namespace {

using config::MapReader;

constexpr Duration kTick{1};
constexpr Duration kOrdinaryAnswer = std::chrono::milliseconds{10};

// Workers, time of a call and capacity: two of them say the third.
void read_speed(MapReader& map, double declared, ServerSpec& into) {
  double capacity = declared;
  map.rate("capacity", capacity);
  const bool says_capacity = map.node().find("capacity") != nullptr;
  const bool says_workers = map.node().find("workers") != nullptr;
  const bool says_takes = map.node().find("takes") != nullptr;
  map.count("workers", into.workers, 1, kWorkersMax);
  map.duration("takes", into.takes, kTick);
  if (says_takes && says_capacity)
    map.problem("takes", "'takes' and 'capacity' say the same thing",
                "say workers and takes, or workers and capacity");
  if (says_takes) {
    if (!says_workers) into.workers = kWorkersMax;
  } else if (capacity > 0) {
    into.takes = std::max(from_seconds(into.workers / capacity), kTick);
  } else if (says_workers) {
    map.problem("workers", fmt::format("{} says how many work, and not how fast", map.what()),
                "say takes: 20ms, or capacity: 300/s");
  } else {
    into.workers = kWorkersMax;
    into.takes = kOrdinaryAnswer;
  }
}

void read_queue(MapReader& map, ServerSpec& into) {
  int order = 0;
  map.choice("queue", {"fifo", "lifo"}, order);
  into.order = static_cast<QueueOrder>(order);
  map.count("queueSize", into.queue_size, 0, kServerQueueMax);
  map.flag("dropsExpired", into.drops_expired);
  map.flag("abandons", into.abandons);
  if (auto degrades = map.map("degrades")) {
    if (degrades->required("to")) share(*degrades, "to", into.degraded_to);
    if (degrades->required("at")) degrades->count("at", into.degraded_at, 1, kServerQueueMax);
    degrades->finish();
  }
}

void read_calls(MapReader map, const Scenario& names, ServerSpec& into) {
  if (!map.required("dependency")) return;
  into.calls = find_named(map, "dependency", "dependency", dependency_names(names));
  map.count("attempts", into.calls_attempts, 1, 100);
  map.duration("timeout", into.calls_timeout, kTick);
  map.finish();
}

// A handler that, through others, calls itself would wait for its own workers.
bool calls_itself(const Scenario& scenario, std::size_t from) {
  auto next = scenario.dependencies[from].server.calls;
  for (std::size_t hops = 0; next && hops < scenario.dependencies.size(); ++hops) {
    if (*next == from) return true;
    next = scenario.dependencies[*next].server.calls;
  }
  return false;
}

void read_one(MapReader& map, const Policies& policies, const Scenario& names,
              DependencyPlan& into) {
  map.rate("capacity", into.spec.capacity_per_second);
  if (map.node().find("policy") != nullptr || into.spec.url.empty())
    into.spec.policy = policies.chosen(map).dependency;
  map.count("instances", into.instances, 1, kInstancesMax);
  static const config::YamlNode nothing;
  auto server = map.map("server");
  if (!server)
    server.emplace(map.report(), map.file(), nothing, fmt::format("'server' of {}", map.what()));
  into.server = read_server(std::move(*server), into.spec.capacity_per_second, names);
  map.finish();
}

}  // namespace

ServerSpec read_server(MapReader map, double declared_capacity, const Scenario& names) {
  ServerSpec server;
  read_speed(map, declared_capacity, server);
  read_queue(map, server);
  int service = 0;
  map.choice("service", {"fixed", "exponential"}, service);
  server.exponential = service == 1;
  map.duration("latency", server.latency);
  map.duration("slowerPerCall", server.slower_per_call);
  share(map, "failures", server.failures);
  map.count("status", server.status, 300, 599);
  map.flag("honoursKeys", server.honours_keys);
  if (auto calls = map.map("calls")) read_calls(std::move(*calls), names, server);
  map.finish();
  return server;
}

void read_dependencies(MapReader& top, const Policies& policies, Scenario& into) {
  auto section = top.map("dependencies");
  if (!section) return;
  // All names first: they may call each other.
  for (const auto& [key, node] : section->node().members) {
    const auto known = dependency_names(into);
    if (std::ranges::find(known, key.text) != known.end()) continue;
    into.dependencies.push_back({});
    into.dependencies.back().spec.name = key.text;
  }
  for (const auto& [key, node] : section->node().members) {
    const auto names = dependency_names(into);
    const auto at = static_cast<std::size_t>(std::ranges::find(names, key.text) - names.begin());
    MapReader map(top.report(), top.file(), node, fmt::format("dependency '{}'", key.text));
    read_one(map, policies, into, into.dependencies[at]);
    if (!calls_itself(into, at)) continue;
    map.problem("server", fmt::format("{} calls itself, through others", map.what()));
    into.dependencies[at].server.calls.reset();
  }
}

}  // namespace weir::sim
