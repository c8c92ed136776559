// SPDX-License-Identifier: Apache-2.0
// The limit of ingest: batch inserts of 512-byte events into one table under Weir's pragmas. Prints
// one line of JSON.
#include <cstdio>

#include "measure.h"
#include "options.h"
#include "plain_table.h"
#include "sample_event.h"

int main(int argc, char** argv) {
  using namespace weir::bench;
  const Options options(argc, argv, {{"folder", "."}, {"events", "200000"}, {"group", "100"}});
  const std::int64_t events = options.number("events", 1, 100'000'000);
  const std::int64_t group = options.number("group", 1, 1'000'000);
  PlainTable table(options.text("folder"));
  const SampleEvent event = sample_event();

  Durations commits;
  commits.reserve(static_cast<std::size_t>(events / group + 1));
  const double cpu = process_cpu_seconds();
  const std::int64_t began = monotonic_micros();
  for (std::int64_t first = 1; first <= events; first += group) {
    const std::int64_t start = monotonic_micros();
    table.insert(first, std::min(group, events - first + 1), event.text);
    commits.add(monotonic_micros() - start);
  }
  const double seconds = static_cast<double>(monotonic_micros() - began) / 1e6;
  std::printf(
      R"({"events":%lld,"group":%lld,"seconds":%.3f,"rate":%.0f,"cpu":%.3f,"commit_p50_ms":%.3f,"commit_p99_ms":%.3f})"
      "\n",
      static_cast<long long>(events), static_cast<long long>(group), seconds,
      static_cast<double>(events) / seconds, process_cpu_seconds() - cpu, commits.millis_at(0.5),
      commits.millis_at(0.99));
  return 0;
}
