// SPDX-License-Identifier: Apache-2.0
// What plots and pages of a run share: numbers for people, axes, and fewer steps than were kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/run_result.h"

namespace weir::sim {

// "0.97", "28.1", "2,810"; "-" for what is no number.
std::string figure(double value);
// "0 s", "38 s", "2 min 5 s".
std::string seconds_text(double seconds);
// For axes, short: "30 s", "90 s", "2 min", "4.5 min", "6 h".
std::string tick_text(double seconds);
// "38 s", "never", "not yet", or "-" where there was nothing to recover from.
std::string recovery_text(const Verdict& verdict);
// "0x00c0ffee00c0ffee".
std::string trace_text(std::uint64_t trace_hash);

// Round values from 0 to `most` and at least that far, in at most `ticks` + 1 steps of 1, 2 or 5
// times a power of ten. ticks >= 1; a `most` that is not above 0 counts as 1.
std::vector<double> axis(double most, std::size_t ticks);
// The same in steps that clocks have: 1, 2, 5, 10, 15, 30 s, 1, 2, 5, 10 min and so on; the last
// one is not beyond `seconds`.
std::vector<double> time_axis(double seconds, std::size_t ticks);

// At most so many steps, each the mean of neighbours; the breaker and the queues keep their
// highest, the budget its lowest, so that nothing that happened is averaged away. at_most >= 1.
std::vector<Step> resampled(const std::vector<Step>& steps, std::size_t at_most);

}  // namespace weir::sim
