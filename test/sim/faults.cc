// SPDX-License-Identifier: Apache-2.0
#include "faults.h"

#include <algorithm>
#include <array>

namespace weir::engine_sim {
namespace {

constexpr std::array<std::string_view, kFaults> kNames = {
    "powerCut",  "kill",       "restart",   "syncError", "writeError", "readError",   "fullDisk",
    "clockJump", "badAnswers", "slow",      "hang",      "duplicates", "lateEffects", "effects",
    "reload",    "replays",    "operators", "breaker",   "retention"};

}  // namespace

std::string_view to_text(Fault fault) { return kNames[static_cast<std::size_t>(fault)]; }

std::string to_text(const Faults& faults) {
  std::string text;
  for (std::size_t i = 0; i < kFaults; ++i) {
    if (!faults.test(i)) continue;
    if (!text.empty()) text += ',';
    text += kNames[i];
  }
  return text.empty() ? "none" : text;
}

std::optional<Faults> parse_faults(std::string_view text) {
  Faults faults;
  if (text == "none") return faults;
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    const auto found = std::ranges::find(kNames, name);
    if (found == kNames.end()) return std::nullopt;
    faults.set(static_cast<std::size_t>(found - kNames.begin()));
    text.remove_prefix(std::min(text.size(), name.size() + 1));
  }
  return faults;
}

}  // namespace weir::engine_sim
