// SPDX-License-Identifier: Apache-2.0
// crash_cycles: power cuts on a simulated disk, recovered from and checked, as many as asked.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cycle.h"
#include "seeded_chance.h"

namespace weir::cycles {
namespace {

using Clock = std::chrono::steady_clock;

struct Wanted {
  std::uint64_t seed = 1;
  std::uint64_t cycles = 50'000;
  double minutes = 0;         // > 0: instead of a number of cycles
  std::size_t operation = 0;  // > 0: only this one of this seed
  bool lying_disk = false;
  std::string json;
};

class Run {
 public:
  explicit Run(const Wanted& wanted) : wanted_(wanted) {}

  // False if something was found, which was printed.
  bool all() {
    for (std::uint64_t seed = wanted_.seed; !enough(); ++seed) {
      if (!one(seed)) return false;
      if (wanted_.operation > 0) break;
    }
    return true;
  }
  const Counters& counters() const { return counters_; }
  std::uint32_t trace() const { return trace_; }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - started_).count(); }

 private:
  bool enough() {
    return wanted_.minutes > 0 ? seconds() >= wanted_.minutes * 60
                               : counters_["cycles.power_cuts"] >= wanted_.cycles;
  }

  bool one(std::uint64_t seed) {
    seed_libraries(seed);
    Model model(seed);
    const Result<Recording> recording = record(model, seed);
    if (!recording.ok()) return found(seed, 0, to_text(recording.error()));
    ++counters_["cycles.seeds"];
    if (model.features().encrypted) ++counters_["cycles.seeds_encrypted"];
    if (model.features().long_stream) ++counters_["cycles.seeds_with_dedupe_segment"];
    counters_["cycles.batches"] += model.batches().size();
    counters_["cycles.disk_operations"] += recording->operations.size();
    trace_ = trace_ * 31 + recording->trace();
    Cycles cycles(model, *recording, seed);
    if (wanted_.lying_disk) cycles.lie_about_syncs();
    return walk(cycles, model.features(), seed);
  }

  bool walk(Cycles& cycles, const Features& features, std::uint64_t seed) {
    std::size_t first = features.long_stream ? cycles.operations() - kLongStreamCuts : 1;
    if (wanted_.operation > 0) first = wanted_.operation;
    while (cycles.operation() < first && !cycles.at_end()) cycles.skip();
    while (!cycles.at_end() && !enough()) {
      seed_libraries(seed * 1'000'003 + cycles.operation());
      const auto wrong = cycles.next(counters_);
      if (wrong) return found(seed, cycles.operation(), *wrong);
      if (wanted_.operation > 0) return true;
    }
    return true;
  }

  bool found(std::uint64_t seed, std::size_t operation, const std::string& what) {
    ++counters_["cycles.failures"];
    fmt::print(stderr, "seed {}, operation {}: the store {}\nagain: crash_cycles --seed {} {}{}\n",
               seed, operation, what, seed, fmt::format("--operation {}", operation),
               wanted_.lying_disk ? " --lying-disk" : "");
    return false;
  }

  // Reading thousands of events takes long: those at the end of a segment are what counts.
  static constexpr std::size_t kLongStreamCuts = 60;

  const Wanted& wanted_;
  Counters counters_{{"cycles.failures", 0}};
  std::uint32_t trace_ = 0;
  Clock::time_point started_ = Clock::now();
};

bool write_json(const std::string& path, const Counters& counters) {
  std::ofstream out(path);
  std::string text;
  for (const auto& [name, count] : counters)
    text += fmt::format("{}\n  \"{}\": {}", text.empty() ? "" : ",", name, count);
  out << '{' << text << "\n}\n";
  return out.good();
}

// 0 = all is well; 1 = something was found; 2 = it could not be run or told.
int run(const Wanted& wanted) {
  Run all(wanted);
  const bool well = all.all();
  Counters counters = all.counters();
  const auto cuts = static_cast<double>(counters["cycles.power_cuts"]);
  fmt::print(
      "crash_cycles: {} power cuts recovered from and checked, {} seeds from {}, {} of them "
      "encrypted, {} cuts while opening, {:.0f} s, {:.1f} ms each, trace {:08x}: {}\n",
      counters["cycles.power_cuts"], counters["cycles.seeds"], wanted.seed,
      counters["cycles.seeds_encrypted"], counters["cycles.cuts_while_opening"], all.seconds(),
      cuts > 0 ? all.seconds() * 1000 / cuts : 0, all.trace(), well ? "nothing lost" : "FAILED");
  if (!wanted.json.empty() && !write_json(wanted.json, counters)) {
    fmt::print(stderr, "{} cannot be written\n", wanted.json);
    return 2;
  }
  // A disk that lies must be found out.
  return well != wanted.lying_disk ? 0 : 1;
}

}  // namespace
}  // namespace weir::cycles

int main(int count, char** arguments) {
  weir::cycles::Wanted wanted;
  CLI::App app("Cuts the power of a simulated disk at every operation of random workloads");
  app.add_option("--seed", wanted.seed, "the first seed")->capture_default_str();
  app.add_option("--cycles", wanted.cycles, "how many cuts")->capture_default_str();
  app.add_option("--minutes", wanted.minutes, "instead: for so long");
  app.add_option("--operation", wanted.operation, "only the cut at this operation of the seed");
  app.add_option("--json", wanted.json, "a file for the counters, one flat object");
  app.add_flag("--lying-disk", wanted.lying_disk,
               "the test of this test: no sync does anything, and that must be found");
  CLI11_PARSE(app, count, arguments);
  return weir::cycles::run(wanted);
}
