// SPDX-License-Identifier: Apache-2.0
#include "sim/expect.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace weir::sim {
namespace {

double share_of(std::uint64_t some, std::uint64_t all) {
  return all == 0 ? 0 : static_cast<double>(some) / static_cast<double>(all);
}

// nullopt = never, or there was no fault to come back from.
std::optional<double> measured(Measure measure, const RunResult& result) {
  const Totals& totals = result.totals;
  switch (measure) {
    case Measure::verdict: break;
    case Measure::recovery: return result.verdict.recovered_after;
    case Measure::caughtUp: return result.verdict.caught_up_after;
    case Measure::goodput: return totals.goodput;
    case Measure::amplification: return totals.amplification;
    case Measure::lateGoodput: return totals.late_goodput;
    case Measure::lateAmplification: return totals.late_amplification;
    case Measure::quarantined: return share_of(totals.quarantined, totals.events);
    case Measure::expired: return share_of(totals.expired, totals.events);
    case Measure::effectsTwice: return static_cast<double>(totals.effects_twice);
    case Measure::attempts: return static_cast<double>(totals.attempts);
    case Measure::succeeded: return static_cast<double>(totals.succeeded);
    case Measure::finishedAfter: return totals.finished_after;
    case Measure::delayP50: return totals.delay_p50;
    case Measure::delayP99: return totals.delay_p99;
  }
  return std::nullopt;
}

std::string range_text(const Expectation& expected) {
  const Unit unit = unit_of(expected.measure);
  if (expected.never) return "never";
  if (expected.least && expected.most && *expected.least == *expected.most)
    return written(*expected.least, unit);
  std::string text;
  if (expected.least) text = fmt::format(">= {}", written(*expected.least, unit));
  if (expected.most)
    text += fmt::format("{}<= {}", text.empty() ? "" : ", ", written(*expected.most, unit));
  return text;
}

Check check_verdict(const Expectation& expected, const RunResult& result) {
  const std::string_view ending = to_text(result.verdict.ending);
  return {.name = expected.name,
          .expected = fmt::format("{}", fmt::join(expected.verdicts, " or ")),
          .measured = std::string(ending),
          .met = std::ranges::find(expected.verdicts, ending) != expected.verdicts.end()};
}

}  // namespace

std::string_view to_text(Ending ending) {
  switch (ending) {
    case Ending::steady: return "steady";
    case Ending::recovers: return "recovers";
    case Ending::unfinished: return "unfinished";
    case Ending::heldBack: return "heldBack";
    case Ending::failing: return "failing";
    case Ending::overloaded: return "overloaded";
    case Ending::paused: return "paused";
    case Ending::metastable: return "metastable";
  }
  return "steady";
}

Unit unit_of(Measure measure) {
  switch (measure) {
    case Measure::goodput:
    case Measure::lateGoodput:
    case Measure::quarantined:
    case Measure::expired: return Unit::share;
    case Measure::recovery:
    case Measure::caughtUp:
    case Measure::finishedAfter:
    case Measure::delayP50:
    case Measure::delayP99: return Unit::seconds;
    case Measure::amplification:
    case Measure::lateAmplification: return Unit::factor;
    case Measure::verdict:
    case Measure::effectsTwice:
    case Measure::attempts:
    case Measure::succeeded: return Unit::count;
  }
  return Unit::count;
}

std::string written(double value, Unit unit) {
  switch (unit) {
    case Unit::share: return fmt::format("{:.4g} %", value * 100);
    case Unit::seconds: return fmt::format("{:.3g} s", value);
    case Unit::factor: return fmt::format("{:.4g} x", value);
    case Unit::count: return fmt::format("{:.0f}", value);
  }
  return {};
}

Check check(const Expectation& expected, const RunResult& result) {
  if (expected.measure == Measure::verdict) return check_verdict(expected, result);
  const std::optional<double> value = measured(expected.measure, result);
  const bool in_range = value && (!expected.least || *value >= *expected.least) &&
                        (!expected.most || *value <= *expected.most);
  return {.name = expected.name,
          .expected = range_text(expected),
          .measured = value ? written(*value, unit_of(expected.measure)) : "never",
          .met = expected.never ? !value : in_range};
}

}  // namespace weir::sim
