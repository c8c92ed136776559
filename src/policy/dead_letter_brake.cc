// SPDX-License-Identifier: Apache-2.0
#include "policy/dead_letter_brake.h"

#include <utility>

#include <fmt/format.h>

#include "base/seeded_bug.h"

namespace weir::policy {

namespace {
Duration slot_of(const DeadLetterBrakeSpec& spec, std::int64_t slots) {
  return Duration{(spec.sliding_window_size.count() + slots - 1) / slots};
}
}  // namespace

DeadLetterBrake::DeadLetterBrake(const DeadLetterBrakeSpec& spec)
    : spec_(spec), window_(slot_of(spec, kSlots)) {}

void DeadLetterBrake::update(const DeadLetterBrakeSpec& spec) {
  if (spec == spec_) return;
  const std::uint64_t shadow_trips = shadow_trips_;
  *this = DeadLetterBrake(spec);
  shadow_trips_ = shadow_trips;
}

void DeadLetterBrake::passed(MonoTime now) {
  if (!spec_.enabled) return;
  in_a_row_ = 0;
  window_.advance(now);
  ++window_.newest().all;
}

std::optional<std::string> DeadLetterBrake::quarantined(MonoTime now) {
  if (!spec_.enabled) return {};
  if (!WEIR_SEEDED_BUG("brake.not_counting")) ++in_a_row_;
  window_.advance(now);
  ++window_.newest().all;
  ++window_.newest().quarantined;
  const Ended ended = sum();
  const double percent = 100.0 * static_cast<double>(ended.quarantined) /
                         static_cast<double>(ended.all);
  if (in_a_row_ < spec_.consecutive_quarantines || percent < spec_.quarantine_rate_threshold)
    return {};
  const std::uint32_t in_a_row = std::exchange(in_a_row_, 0);
  window_.clear();
  if (spec_.mode == Mode::shadow) {
    ++shadow_trips_;
    return {};
  }
  return fmt::format(
      "dead-letter brake: {} deliveries in a row went into quarantine, {:.0f} % of {} in {}",
      in_a_row, percent, ended.all, weir::to_text(spec_.sliding_window_size));
}

DeadLetterBrake::Ended DeadLetterBrake::sum() const {
  Ended total;
  window_.for_each([&](std::int64_t, const Ended& slot) {
    total.all += slot.all;
    total.quarantined += slot.quarantined;
  });
  return total;
}

}  // namespace weir::policy
