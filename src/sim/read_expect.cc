// SPDX-License-Identifier: Apache-2.0
// What is expected: `recovery: { atMost: 60s }`, `goodput: { atLeast: 95% }`, `effectsTwice: 0`.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/expect.h"
#include "sim/scenario_sections.h"
#include "sim/stage.h"

namespace weir::sim {
namespace {

using config::MapReader;
using config::YamlNode;

struct MeasureName {
  std::string_view name;
  Measure measure;
};
constexpr MeasureName kMeasures[] = {{"verdict", Measure::verdict},
                                     {"recovery", Measure::recovery},
                                     {"caughtUp", Measure::caughtUp},
                                     {"goodput", Measure::goodput},
                                     {"amplification", Measure::amplification},
                                     {"lateGoodput", Measure::lateGoodput},
                                     {"lateAmplification", Measure::lateAmplification},
                                     {"quarantined", Measure::quarantined},
                                     {"expired", Measure::expired},
                                     {"effectsTwice", Measure::effectsTwice},
                                     {"attempts", Measure::attempts},
                                     {"succeeded", Measure::succeeded},
                                     {"finishedAfter", Measure::finishedAfter},
                                     {"delayP50", Measure::delayP50},
                                     {"delayP99", Measure::delayP99}};

std::optional<double> parse_value(std::string_view text, Unit unit) {
  if (unit == Unit::seconds) {
    const auto duration = parse_duration(text);
    return duration ? std::optional(to_seconds(*duration)) : std::nullopt;
  }
  if (unit == Unit::share) return parse_share(text);
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
  return whole && value >= 0 && value <= 1e15 ? std::optional(value) : std::nullopt;
}

std::string_view example(Unit unit) {
  switch (unit) {
    case Unit::seconds: return "a duration like 60s";
    case Unit::share: return "a share like 95% or 0.95";
    case Unit::factor: return "a factor like 1.2";
    case Unit::count: return "a number like 0";
  }
  return "";
}

void read_bound(MapReader& map, std::string_view key, Unit unit, std::optional<double>& into) {
  std::string text;
  map.text(key, text);
  if (map.node().find(key) == nullptr) return;
  into = parse_value(text, unit);
  if (!into)
    map.problem(key, fmt::format("'{}' does not fit here", text),
                fmt::format("it takes {}", example(unit)));
}

void read_verdicts(MapReader& map, Expectation& into) {
  map.strings("verdict", into.verdicts);
  std::vector<std::string> known;
  for (const Ending ending : kEndings) known.emplace_back(to_text(ending));
  for (const std::string& verdict : into.verdicts) {
    if (std::ranges::find(known, verdict) == known.end())
      map.problem("verdict", fmt::format("unknown verdict '{}'", verdict),
                  did_you_mean(verdict, known));
  }
}

void read_value(MapReader& map, const YamlNode& node, Expectation& into) {
  const Unit unit = unit_of(into.measure);
  if (node.kind == YamlNode::Kind::map) {
    MapReader range(map.report(), map.file(), node, fmt::format("'{}' of expect", into.name));
    read_bound(range, "atLeast", unit, into.least);
    read_bound(range, "atMost", unit, into.most);
    if (node.members.empty())
      map.problem(into.name, "this expects nothing", "say atLeast or atMost");
    return range.finish();
  }
  const bool can_never = into.measure == Measure::recovery || into.measure == Measure::caughtUp;
  into.never = can_never && node.text == "never";
  if (into.never) return;
  read_bound(map, into.name, unit, into.least);
  into.most = into.least;
}

}  // namespace

void read_expect(MapReader& top, Scenario& into) {
  auto map = top.map("expect");
  if (!map) return;
  for (const auto& [name, measure] : kMeasures) {
    const YamlNode* node = map->take(name);
    if (node == nullptr) continue;
    Expectation expected{.measure = measure, .name = std::string(name)};
    if (measure == Measure::verdict) {
      read_verdicts(*map, expected);
    } else {
      read_value(*map, *node, expected);
    }
    into.expect.push_back(std::move(expected));
  }
  map->finish();
}

}  // namespace weir::sim
