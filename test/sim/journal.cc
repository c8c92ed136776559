// SPDX-License-Identifier: Apache-2.0
#include "journal.h"

#include <cstdio>
#include <utility>

#include <fmt/format.h>

namespace weir::engine_sim {

void Trace::note(MonoTime at, std::string_view what) {
  const std::string line = fmt::format("{:>12} {}", at.time_since_epoch().count(), what);
  for (const char letter : line)
    hash_ = (hash_ ^ static_cast<unsigned char>(letter)) * 0x100000001b3ull;
  if (!prints_) return;
  fmt::print("{}\n", line);
  std::fflush(stdout);  // what was before an assertion that fails
}

void Journal::begin_life() {
  over_here.clear();
  publishing = trimming = resuming = 0;
  breaker_opened.reset();
  for (Call& call : calls) call.running = false;
  for (auto& [id, word] : replays) {  // what was under way may be durable
    if (std::exchange(word.resuming, 0) > 0) ++word.resumes;
  }
  std::erase_if(paused, [&](const auto& one) { return now - one.second < kDurableAfter; });
}

}  // namespace weir::engine_sim
