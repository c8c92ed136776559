// SPDX-License-Identifier: Apache-2.0
// engine_sim: runs seeds of the engine simulation, and says how to repeat the first that fails.
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "run.h"
#include "shrink.h"

namespace weir::engine_sim {
namespace {

constexpr int kShrinkRunsMax = 200;

struct Wish {
  std::string seeds = "1..20";
  double minutes = 0;
  std::string faults;
  std::string moves;
  std::uint32_t events = kEventsMax;
  std::string json;
  std::uint64_t must_reach = 0;
  bool trace = false;
  bool hashes = false;
};

struct Totals {
  std::uint64_t seeds = 0;
  std::uint64_t failed = 0;
  std::uint64_t hash = 0;  // of all traces
  Sometimes sometimes;
  std::map<std::string, std::uint64_t> counts;
};

using Steady = std::chrono::steady_clock;

std::uint64_t seed_of(std::string_view text) {
  std::uint64_t seed = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (failure != std::errc() || end != text.data() + text.size())
    throw std::invalid_argument(fmt::format("'{}' is no seed; give one, or FROM..TO", text));
  return seed;
}

std::pair<std::uint64_t, std::uint64_t> range_of(std::string_view text) {
  const auto dots = text.find("..");
  const std::uint64_t first = seed_of(text.substr(0, dots));
  const std::uint64_t last = dots == text.npos ? first : seed_of(text.substr(dots + 2));
  if (last < first) throw std::invalid_argument(fmt::format("{} holds no seed", text));
  return {first, last};
}

Plan plan_for(std::uint64_t seed, const Wish& wish) {
  Plan plan = plan_of(seed);
  plan.events = std::min(plan.events, wish.events);
  if (!wish.faults.empty()) {
    const auto faults = parse_faults(wish.faults);
    if (!faults) throw std::invalid_argument("no such fault in " + wish.faults);
    plan.faults = *faults;
  }
  if (!wish.moves.empty()) {
    const auto moves = parse_ranges(wish.moves);
    if (!moves) throw std::invalid_argument("not a list of moves: " + wish.moves);
    plan = with_moves(plan, *moves);
  }
  return without_the_rest(std::move(plan));
}

void report_failure(const Plan& plan, const std::string& violation) {
  fmt::print("seed {} FAILED: {}\n  again:  {}\n", plan.seed, violation, command_of(plan));
  const Plan small = shrink(
      plan, [](const Plan& less) { return run(less).violation.has_value(); }, kShrinkRunsMax);
  fmt::print("  shrunk: {}\n  ({})\n", command_of(small), run(small).violation.value_or("passes"));
  for (const Move& move : small.moves) fmt::print("  {}\n", to_text(move));
}

void run_one(std::uint64_t seed, const Wish& wish, Totals& totals) {
  const Plan plan = plan_for(seed, wish);
  const Report report = run(plan, wish.trace);
  ++totals.seeds;
  totals.hash = totals.hash * 0x100000001b3ull ^ report.hash;
  totals.sometimes.add(report.sometimes);
  for (const auto& [name, count] : report.counts) totals.counts[name] += count;
  if (wish.hashes) fmt::print("{} {:016x}\n", seed, report.hash);
  if (!report.violation) return;
  ++totals.failed;
  if (wish.trace)
    fmt::print("seed {} FAILED: {}\n", seed, *report.violation);
  else
    report_failure(plan, *report.violation);
  std::fflush(stdout);
}

Totals run_all(const Wish& wish) {
  Totals totals;
  const auto [first, last] = range_of(wish.seeds);
  const auto until = Steady::now() + std::chrono::duration<double, std::ratio<60>>(wish.minutes);
  for (std::uint64_t seed = first; wish.minutes > 0 ? Steady::now() < until : seed <= last; ++seed)
    run_one(seed, wish, totals);
  return totals;
}

// The rare states, by how often they were reached. True if none was so less often than it must.
bool report_sometimes(const Sometimes& sometimes, std::uint64_t must) {
  std::string missing;
  for (std::size_t i = 0; must > 0 && i < kRares; ++i) {
    const auto rare = static_cast<Rare>(i);
    fmt::print("  sometimes {:<24} {:>8}\n", to_text(rare), sometimes.count(rare));
    if (sometimes.count(rare) < must) missing += fmt::format(" {}", to_text(rare));
  }
  if (!missing.empty()) fmt::print("reached less than {} times:{}\n", must, missing);
  return missing.empty();
}

bool write_json(const std::string& path, const Totals& totals) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  fmt::print(file, "{{\"engine.seeds\": {}, \"engine.failed\": {}", totals.seeds, totals.failed);
  for (const auto& [name, count] : totals.counts)
    fmt::print(file, ", \"engine.{}\": {}", name, count);
  for (std::size_t i = 0; i < kRares; ++i) {
    const auto rare = static_cast<Rare>(i);
    fmt::print(file, ", \"engine.sometimes.{}\": {}", to_text(rare), totals.sometimes.count(rare));
  }
  fmt::print(file, "}}\n");
  return std::fclose(file) == 0;
}

int simulate(const Wish& wish) {
  const auto began = Steady::now();
  Totals totals = run_all(wish);
  const double took = std::chrono::duration<double>(Steady::now() - began).count();
  const bool reached = report_sometimes(totals.sometimes, wish.must_reach);
  fmt::print(
      "engine_sim: {} seeds, {} failed, {} lives, {} crashes, {} calls, {:.1f} s, "
      "traces {:016x}\n",
      totals.seeds, totals.failed, totals.counts["lives"], totals.counts["crashes"],
      totals.counts["calls"], took, totals.hash);
  if (!wish.json.empty() && !write_json(wish.json, totals)) {
    fmt::print(stderr, "{} cannot be written\n", wish.json);
    return 2;
  }
  return totals.failed > 0 || !reached ? 1 : 0;
}

}  // namespace
}  // namespace weir::engine_sim

int main(int argc, char** argv) {
  weir::engine_sim::Wish wish;
  CLI::App app{"The whole engine on a virtual clock, with faults, from seeds"};
  app.add_option("--seeds", wish.seeds, "FROM..TO, or one");
  app.add_option("--minutes", wish.minutes, "so long, from the first seed on");
  app.add_option("--faults", wish.faults, "only these kinds, with commas; or none");
  app.add_option("--moves", wish.moves, "only these moves of the plan: 0-3,7");
  app.add_option("--events", wish.events, "only so many events");
  app.add_option("--json", wish.json, "writes the counters to this file");
  app.add_option("--must-reach", wish.must_reach, "fails if a rare state was reached less often");
  app.add_flag("--trace", wish.trace, "prints what happens");
  app.add_flag("--hashes", wish.hashes, "prints the hash of each seed's trace");
  CLI11_PARSE(app, argc, argv);
  try {
    return weir::engine_sim::simulate(wish);
  } catch (const std::exception& error) {
    fmt::print(stderr, "engine_sim: {}\n", error.what());
    return 2;
  }
}
