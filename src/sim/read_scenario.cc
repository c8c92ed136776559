// SPDX-License-Identifier: Apache-2.0
#include "sim/read_scenario.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/arrivals.h"
#include "sim/scenario_sections.h"

namespace weir::sim {
namespace {

using config::MapReader;
using config::YamlNode;

constexpr std::size_t kStepsMost = 600;  // of a series, if nothing is said

// What a setting is about: in a scenario that takes a configuration, that one's own sections.
bool is_of_config(const Setting& setting, const YamlNode& tree) {
  if (tree.find("config") == nullptr || setting.path.contains(".server")) return false;
  return setting.path.starts_with("policies.") || setting.path.starts_with("flows.");
}

class ScenarioReader {
 public:
  ScenarioReader(const config::SourceFile& file, const Surroundings& around)
      : around_(around), files_{file} {}

  ScenarioOutcome read() {
    auto tree = config::parse_yaml(files_[0].name, files_[0].text, outcome_.problems);
    // A file without a value still has a beginning.
    if (tree != nullptr && tree->line == 0) tree->line = tree->column = 1;
    if (tree != nullptr && settle(*tree)) read_tree(*tree);
    for (config::Problem& problem : outcome_.problems) name_setting(problem.place);
    config::put_in_order(outcome_.problems, files_);
    if (outcome_.problems.empty() && !outcome_.wrong_setting)
      outcome_.scenario = std::move(scenario_);
    return std::move(outcome_);
  }

 private:
  // What a setting put there is at the line of its number below zero.
  bool settle(YamlNode& tree) {
    int line = 0;
    for (const Setting& setting : around_.settings) {
      --line;
      if (is_of_config(setting, tree)) continue;
      const auto applied = apply(setting, tree, line);
      if (!applied.ok()) outcome_.wrong_setting = applied.error();
    }
    return !outcome_.wrong_setting;
  }

  void name_setting(config::Place& place) const {
    if (place.line >= 0) return;
    const Setting& setting = around_.settings[static_cast<std::size_t>(-place.line - 1)];
    place = {fmt::format("--set {}={}", setting.path, setting.value), 0, 0};
  }

  void read_tree(const YamlNode& tree) {
    const config::SecretResolver no_secrets = [](auto, auto) {
      return Result<std::string>(std::string("not needed here"));
    };
    config::Report report{files_, no_secrets, outcome_.problems};
    MapReader top(report, files_[0].name, tree, "the scenario");
    scenario_.name = files_[0].name;
    top.text("name", scenario_.name);
    top.text("about", scenario_.about);
    top.text("source", scenario_.source);
    top.duration("lasts", scenario_.lasts, std::chrono::seconds{1});
    if (scenario_.lasts > kLastsMax)
      top.problem("lasts", fmt::format("'lasts' must be at most {}", weir::to_text(kLastsMax)));
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(scenario_.lasts);
    scenario_.step = (seconds + std::chrono::seconds{kStepsMost - 1}) / kStepsMost;
    scenario_.step = std::chrono::ceil<std::chrono::seconds>(scenario_.step);
    top.duration("step", scenario_.step, std::chrono::seconds{1});
    top.count("seed", scenario_.seed, 0, 1'000'000'000'000);
    top.count("runs", scenario_.runs, 1, 10'000);
    take_config(top);
    const Policies policies = read_policies(top);
    read_dependencies(top, policies, scenario_);
    read_load(top, policies, around_, scenario_);
    take_recorded();
    read_faults(top, scenario_);
    read_expect(top, scenario_);
    top.finish();
    check_loads(top);
    name_policy(tree);
  }

  // The user's real configuration: its dependencies, flows and failure modes.
  void take_config(MapReader& top) {
    std::string path;
    top.text("config", path);
    if (path.empty()) return;
    auto files = around_.read(path);
    if (!files.ok()) return top.problem("config", files.error().detail, files.error().hint);
    for (config::SourceFile& file : *files) change(file, top.node());
    const auto loaded = config::load(*files, top.report().secrets);
    const auto& config = loaded.config ? loaded.config : loaded.refused;
    if (!config) {
      outcome_.problems.insert(outcome_.problems.end(), loaded.problems.begin(),
                               loaded.problems.end());
      files_.insert(files_.end(), files->begin(), files->end());
      return;
    }
    scenario_.policy = path;
    scenario_.failure_modes = config->failure_modes;
    static const YamlNode nothing;
    for (const DependencySpec& spec : config->dependencies) {
      MapReader server(top.report(), top.file(), nothing, "'server'");
      scenario_.dependencies.push_back(
          {.spec = spec,
           .server = read_server(std::move(server), spec.capacity_per_second, scenario_)});
    }
    for (const FlowSpec& spec : config->flows) {
      const auto names = dependency_names(scenario_);
      const auto at = std::ranges::find(names, spec.dependency) - names.begin();
      scenario_.flows.push_back({.spec = spec,
                                 .dependency = static_cast<std::size_t>(at),
                                 .load = {.rate = spec.peak_per_second}});
    }
  }

  void change(config::SourceFile& file, const YamlNode& scenario) {
    std::vector<config::Problem> told_later;
    for (const Setting& setting : around_.settings) {
      if (!is_of_config(setting, scenario)) continue;
      auto tree = config::parse_yaml(file.name, file.text, told_later);
      const std::string section = setting.path.substr(0, setting.path.find('.'));
      if (tree == nullptr || tree->find(section) == nullptr) continue;
      const auto applied = apply(setting, *tree);
      if (!applied.ok()) outcome_.wrong_setting = applied.error();
      file.text = config::to_json(*tree);
    }
  }

  // A stream that recorded nothing offers nothing.
  void take_recorded() {
    if (around_.recorded.empty()) return;
    for (FlowPlan& flow : scenario_.flows) {
      if (flow.spec.stream.empty()) continue;
      const auto found = around_.recorded.find(flow.spec.stream);
      flow.load = {};
      if (found != around_.recorded.end())
        flow.load = {.arrivals = Arrivals::recorded, .recorded = found->second};
    }
  }

  void check_loads(MapReader& top) {
    double events = 0;
    bool any = false;
    for (const FlowPlan& flow : scenario_.flows) {
      events += OpenLoad(flow.load).rate({}) * to_seconds(scenario_.lasts);
      any = any || flow.load.rate > 0 || flow.load.clients > 0 || flow.load.burst_size > 0 ||
            flow.load.arrivals == Arrivals::recorded;
    }
    if (!any && outcome_.problems.empty())
      top.problem("load", "nothing is offered to anybody",
                  scenario_.flows.empty()
                      ? "load: { orders: { to: tracker, rate: 100/s } }"
                      : fmt::format("declare `peak` of the flows, or say load: {{ {}: {{ rate: "
                                    "100/s }} }}",
                                    scenario_.flows.front().spec.name));
    if (events > static_cast<double>(kEventsMax))
      top.problem("lasts",
                  fmt::format("{:.0f} events are more than the {} of one run", events, kEventsMax));
  }

  void name_policy(const YamlNode& tree) {
    const YamlNode* policy = tree.find("policy");
    if (policy != nullptr && policy->kind == YamlNode::Kind::scalar) {
      scenario_.policy = policy->text;
    } else if (scenario_.policy.empty()) {
      scenario_.policy = files_[0].name;
    }
  }

  const Surroundings& around_;
  std::vector<config::SourceFile> files_;  // the scenario first
  ScenarioOutcome outcome_;
  Scenario scenario_;
};

}  // namespace

std::optional<double> parse_share(std::string_view text) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  if (percent) value /= 100;
  return value >= 0 && value <= 1e6 ? std::optional(value) : std::nullopt;
}

void share(MapReader& map, std::string_view key, double& into, double most) {
  std::string text;
  map.text(key, text);
  if (map.node().find(key) == nullptr) return;
  const auto parsed = parse_share(text);
  if (!parsed || *parsed > most) {
    return map.problem(
        key, fmt::format("'{}' must be a share of 0 to {:g} %, not '{}'", key, most * 100, text),
        "for example 20% or 0.2");
  }
  into = *parsed;
}

std::optional<std::size_t> find_named(MapReader& map, std::string_view key, std::string_view kind,
                                      const std::vector<std::string>& names) {
  std::string name;
  map.text(key, name);
  const auto found = std::ranges::find(names, name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  map.problem(key, fmt::format("unknown {} '{}'", kind, name), did_you_mean(name, names));
  return std::nullopt;
}

std::vector<std::string> dependency_names(const Scenario& scenario) {
  std::vector<std::string> names;
  for (const DependencyPlan& plan : scenario.dependencies) names.push_back(plan.spec.name);
  return names;
}

std::vector<std::string> flow_names(const Scenario& scenario) {
  std::vector<std::string> names;
  for (const FlowPlan& plan : scenario.flows) names.push_back(plan.spec.name);
  return names;
}

ScenarioOutcome read_scenario(const config::SourceFile& file, const Surroundings& around) {
  return ScenarioReader(file, around).read();
}

}  // namespace weir::sim
