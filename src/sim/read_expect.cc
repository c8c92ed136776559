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

// While it catches up, more is done than comes.
bool can_exceed_all(Measure measure) { return measure == Measure::lateGoodput; }

void read_bound(MapReader& map, std::string_view key, Measure measure,
                std::optional<double>& into) {
  const Unit unit = unit_of(measure);
  std::string text;
  map.text(key, text);
  if (map.node().find(key) == nullptr) return;
  into = parse_value(text, unit);
  if (!into)
    map.problem(key, fmt::format("'{}' does not fit here", text),
                fmt::format("it takes {}", example(unit)));
  if (into && unit == Unit::share && *into > 1 && !can_exceed_all(measure))
    map.problem(
        key,
        fmt::format("'{}' is more than all: no more than 100 % of the events can be so", text));
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
  if (node.kind == YamlNode::Kind::map) {
    MapReader range(map.report(), map.file(), node, fmt::format("'{}' of expect", into.name));
    read_bound(range, "atLeast", into.measure, into.least);
    read_bound(range, "atMost", into.measure, into.most);
    if (into.least && into.most && *into.least > *into.most)
      range.problem("atLeast", "nothing is at least this and at most less",
                    "change the two values if they are the wrong way round");
    if (node.members.empty())
      map.problem(into.name, "this expects nothing", "say atLeast or atMost");
    return range.finish();
  }
  const bool can_never = into.measure == Measure::recovery || into.measure == Measure::caughtUp;
  into.never = can_never && node.text == "never";
  if (into.never) return;
  read_bound(map, into.name, into.measure, into.least);
  into.most = into.least;
}

// What recovers has come back, and has a time since then.
void check_recovery(MapReader& map, const std::vector<Expectation>& expected) {
  const auto recovers = [](const Expectation& one) {
    return one.measure == Measure::verdict &&
           one.verdicts == std::vector<std::string>{std::string(to_text(Ending::recovers))};
  };
  const auto never = [](const Expectation& one) {
    return one.measure == Measure::recovery && one.never;
  };
  if (std::ranges::any_of(expected, recovers) && std::ranges::any_of(expected, never))
    map.problem("recovery", "'recovery: never' and 'verdict: recovers' cannot both be met",
                "leave one of them out");
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
  check_recovery(*map, into.expect);
  map->finish();
}

}  // namespace weir::sim
