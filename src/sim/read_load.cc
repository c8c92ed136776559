// SPDX-License-Identifier: Apache-2.0
// The loads of a scenario: one flow each.
#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/scenario_sections.h"
#include "sim/stage.h"

namespace weir::sim {
namespace {

using config::MapReader;

constexpr double kRateMax = 100'000;
constexpr double kBurstMax = 1'000'000;
constexpr double kSwingMax = 0.95;

constexpr std::size_t kShown = 40;  // bytes of a line that is wrong

// One line of seconds, or of a time; the first one of those is `start`. Error: what it is instead.
Result<Duration> parse_arrival(std::string_view line, std::optional<WallTime>& start) {
  const auto wrong = [&](std::string_view what) {
    return Error{Code::config_invalid, fmt::format("'{}' is {}", line.substr(0, kShown), what),
                 "one per line: seconds since the start, or times like 2026-11-21T14:00:00.250Z"};
  };
  if (const auto time = parse_rfc3339(line)) {
    if (!start) start = *time;
    if (*time < *start) return wrong("before the first time");
    return *time - *start;
  }
  double seconds = 0;
  const auto parsed = std::from_chars(line.data(), line.data() + line.size(), seconds);
  const bool whole = parsed.ec == std::errc{} && parsed.ptr == line.data() + line.size();
  if (!whole || std::isnan(seconds)) return wrong("neither seconds nor a time");
  if (seconds < 0) return wrong("before the start");
  if (seconds > to_seconds(kLastsMax))
    return wrong(fmt::format("later than the {} of one run", weir::to_text(kLastsMax)));
  return from_seconds(seconds);
}

// The first line that is wrong is told, at its place.
std::optional<std::vector<Duration>> parse_arrivals(const config::SourceFile& file,
                                                    config::Report& report) {
  std::vector<Duration> arrivals;
  std::optional<WallTime> start;
  std::string_view text = file.text;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const auto arrival = parse_arrival(line, start);
    if (!arrival.ok()) {
      report.problems.push_back({.place = {file.name, number, 1},
                                 .message = arrival.error().detail,
                                 .hint = arrival.error().hint});
      return std::nullopt;
    }
    arrivals.push_back(*arrival);
  }
  std::ranges::sort(arrivals);
  return arrivals;
}

void read_recorded(MapReader& map, const Surroundings& around, Load& into) {
  std::string path;
  map.text("recorded", path);
  if (path.empty()) return;
  const auto files = around.read(path);
  if (!files.ok()) return map.problem("recorded", files.error().detail, files.error().hint);
  if (files->size() != 1)
    return map.problem("recorded", fmt::format("'{}' is a folder, and no file", path));
  auto arrivals = parse_arrivals(files->front(), map.report());
  if (!arrivals) return;
  if (arrivals->empty()) {
    return map.problem("recorded", fmt::format("'{}' has no recorded arrivals", path),
                       "one per line: seconds since the start, or times like "
                       "2026-11-21T14:00:00.250Z");
  }
  into.arrivals = Arrivals::recorded;
  into.recorded = std::move(*arrivals);
}

void read_shape(MapReader& map, Load& into) {
  int arrivals = 0;
  map.choice("arrivals", {"poisson", "regular"}, arrivals);
  into.arrivals = static_cast<Arrivals>(arrivals);
  if (auto bursts = map.map("bursts")) {
    if (bursts->required("size")) bursts->number("size", into.burst_size, 1, kBurstMax);
    into.burst_every = std::chrono::seconds{1};
    if (bursts->required("every"))
      bursts->duration("every", into.burst_every, std::chrono::milliseconds{1});
    bursts->finish();
  }
  if (auto swing = map.map("swing")) {
    if (swing->required("share")) share(*swing, "share", into.swing, kSwingMax);
    into.period = std::chrono::hours{24};
    swing->duration("period", into.period, std::chrono::seconds{1});
    swing->finish();
  }
}

void read_clients(MapReader& map, Load& into) {
  const bool is_closed = map.node().find("clients") != nullptr;
  map.count("clients", into.clients, 1, 100'000);
  map.duration("think", into.think);
  double each = 0;
  map.number("each", each, 1, static_cast<double>(kEventsMax));
  if (is_closed) into.arrivals = Arrivals::closed;
  if (is_closed && each > 0) into.events_each = static_cast<std::uint64_t>(each);
  for (const std::string_view key : {"think", "each"}) {
    if (!is_closed && map.node().find(key) != nullptr)
      map.problem(key, fmt::format("'{}' is about clients that wait for their answers", key),
                  "say clients: 10 as well");
  }
  const bool says_rate = map.node().find("rate") != nullptr;
  if (is_closed && (says_rate || into.burst_size > 0))
    map.problem(says_rate ? "rate" : "bursts",
                "clients that wait for their answers have no rate of their own",
                "make it two loads");
}

Load read_one_load(MapReader& map, const Surroundings& around, double declared_peak) {
  Load load{.rate = declared_peak};
  map.rate("rate", load.rate);
  if (load.rate > kRateMax)
    map.problem("rate", fmt::format("'rate' must be at most {:g}/s", kRateMax));
  read_shape(map, load);
  read_clients(map, load);
  read_recorded(map, around, load);
  const bool empty = load.rate <= 0 && load.burst_size <= 0 && load.clients == 0 &&
                     load.recorded.empty() && map.node().find("recorded") == nullptr;
  if (empty && map.node().find("rate") == nullptr)
    map.problem("rate", fmt::format("{} does not say how much comes", map.what()),
                "rate: 100/s, clients: 10, bursts: { size: 50, every: 30s }, or recorded: FILE");
  return load;
}

// What a flow of a configuration says itself.
void read_flow(MapReader& map, const Policies& policies, const Scenario& names, FlowPlan& into) {
  if (map.required("to")) {
    const auto found = find_named(map, "to", "dependency", dependency_names(names));
    into.dependency = found.value_or(0);
    if (found) into.spec.dependency = names.dependencies[*found].spec.name;
  }
  into.spec.policy = policies.chosen(map).flow;
  map.flag("idempotent", into.spec.idempotent);
}

}  // namespace

void read_load(MapReader& top, const Policies& policies, const Surroundings& around,
               Scenario& into) {
  auto section = top.map("load");
  if (!section) return;
  for (const auto& [key, node] : section->node().members) {
    MapReader map(top.report(), top.file(), node, fmt::format("load '{}'", key.text));
    const auto names = flow_names(into);
    const auto at = static_cast<std::size_t>(std::ranges::find(names, key.text) - names.begin());
    const bool is_new = at == names.size();
    if (is_new) {
      into.flows.push_back({});
      into.flows.back().spec.name = key.text;
      read_flow(map, policies, into, into.flows.back());
    } else {
      map.wrong_side({"to", "policy", "idempotent"}, "the flow of the configuration says it");
    }
    FlowPlan& flow = into.flows[at];
    flow.load = read_one_load(map, around, flow.spec.peak_per_second);
    int refused = 0;
    map.choice("whenRefused", {"wait", "giveUp"}, refused);
    flow.gives_up = refused == 1;
    map.finish();
  }
}

}  // namespace weir::sim
