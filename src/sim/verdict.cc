// SPDX-License-Identifier: Apache-2.0
#include "sim/verdict.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "sim/late.h"

namespace weir::sim {
namespace {

constexpr double kHealthyShare = 0.9;
constexpr double kHealthySeconds = 5;
constexpr double kEventsThatTell = 100;  // in one window
constexpr double kWindowMax = 60;
constexpr double kFallingShare = 0.9;  // of a backlog, to be on its way back
constexpr double kMostly = 0.5;        // of what is offered

struct Span {
  double from = 0;
  double to = 0;
};

double waiting(const Step& step) { return step.queue + step.server_queue; }

// One dependency's seconds, and what they say.
class Course {
 public:
  Course(const Scenario& scenario, std::size_t index, const std::vector<Tally>& tallies)
      : scenario_(scenario),
        tally_(tallies[index]),
        name_(scenario.dependencies[index].spec.name),
        capacity_(capacity_of(index, scenario)),
        late_(late_of(index, scenario, tallies)) {
    for (const FlowPlan& flow : scenario.flows) {
      if (flow.dependency == index && flow.load.arrivals == Arrivals::closed) closed_ = true;
    }
    if (!scenario.faults.empty()) fault_ = {std::numeric_limits<double>::max(), 0};
    for (const FaultSpec& fault : scenario.faults) {
      fault_.from = std::min(fault_.from, to_seconds(fault.at));
      fault_.to = std::max(fault_.to, to_seconds(fault.at + fault.lasts));
    }
    const double mean = mean_of(&Step::offered, 0, seconds().size());
    const double telling = mean > 0 ? std::ceil(kEventsThatTell / mean) : kWindowMax;
    window_ = static_cast<std::size_t>(std::clamp(telling, kHealthySeconds, kWindowMax));
  }

  Verdict verdict() {
    Verdict verdict;
    if (!scenario_.faults.empty()) {
      verdict.recovered_after = recovered_after(worst_);
      verdict.caught_up_after = caught_up_after();
    }
    verdict.ending = ending(verdict);
    verdict.sentence = sentence(verdict);
    return verdict;
  }

 private:
  const std::vector<Step>& seconds() const { return tally_.seconds; }
  std::size_t after_fault() const { return static_cast<std::size_t>(std::ceil(fault_.to)); }
  std::size_t late() const { return seconds().size() - std::min(seconds().size(), kLateSeconds); }

  double mean_of(double Step::* what, std::size_t from, std::size_t to) const {
    double sum = 0;
    for (std::size_t i = from; i < to; ++i) sum += seconds()[i].*what;
    return to > from ? sum / static_cast<double>(to - from) : 0;
  }

  // What clients that wait for their answers would send if they got them.
  double needed(std::size_t from, std::size_t to) const {
    const auto before = static_cast<std::size_t>(fault_.from);
    if (!closed_ || before < window_) return mean_of(&Step::offered, from, to);
    return mean_of(&Step::succeeded, 0, before);
  }

  bool is_healthy(std::size_t from, std::size_t to) const {
    return mean_of(&Step::succeeded, from, to) >= kHealthyShare * needed(from, to);
  }

  // How long it took after the fault after which it took longest, and which that was. A fault that
  // ends within another one has no end of its own. nullopt = never.
  std::optional<double> recovered_after(const FaultSpec*& worst) const {
    double longest = -1;
    for (const FaultSpec& fault : scenario_.faults) {
      const Duration end = fault.at + fault.lasts;
      const bool covered = std::ranges::any_of(scenario_.faults, [&](const FaultSpec& other) {
        return other.at <= end && end < other.at + other.lasts;
      });
      if (covered) continue;
      const std::optional<double> took = recovered_since(to_seconds(end));
      if (took && *took <= longest) continue;
      worst = &fault;
      if (!took) return std::nullopt;
      longest = *took;
    }
    return longest;
  }

  std::optional<double> recovered_since(double end) const {
    const auto first = static_cast<std::size_t>(std::ceil(end));
    for (std::size_t i = first; i + window_ <= seconds().size(); ++i) {
      if (is_healthy(i, i + window_)) return static_cast<double>(i) - end;
    }
    return std::nullopt;
  }

  std::optional<double> caught_up_after() const {
    double before = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(fault_.from) && i < seconds().size(); ++i)
      before = std::max(before, waiting(seconds()[i]));
    const double few = before + std::max(5.0, 0.05 * mean_of(&Step::offered, 0, seconds().size()));
    for (std::size_t i = after_fault(); i < seconds().size(); ++i) {
      if (waiting(seconds()[i]) <= few) return seconds()[i].at - fault_.to;
    }
    return std::nullopt;
  }

  bool never_left() const {
    if (scenario_.faults.empty()) return true;
    const auto from = static_cast<std::size_t>(fault_.from);
    for (std::size_t i = from; i + window_ <= seconds().size() && i <= after_fault(); ++i) {
      if (!is_healthy(i, i + window_)) return false;
    }
    return true;
  }

  Ending ending(const Verdict& verdict) const {
    if (tally_.paused_at) return Ending::paused;
    const bool well_at_the_end = is_healthy(telling(), seconds().size());
    if (well_at_the_end && never_left()) return Ending::steady;
    if (well_at_the_end && verdict.recovered_after) return Ending::recovers;
    if (is_offered_too_much()) return Ending::overloaded;
    if (is_held_back()) return Ending::heldBack;
    if (scenario_.faults.empty()) return ending_without_fault();
    return is_too_soon() || is_falling() ? Ending::unfinished : Ending::metastable;
  }

  bool is_offered_too_much() const {
    const std::size_t from = std::min(after_fault(), seconds().size());
    return mean_of(&Step::offered, from, seconds().size()) > capacity_;
  }

  // Not a thing that the fault left behind: what admits so much and no more, or was in the way
  // before.
  bool is_held_back() const {
    if (!late_.held_by) return false;
    if (scenario_.faults.empty() || late_.held_by == Guardrail::rateLimit) return true;
    const auto before = static_cast<std::size_t>(fault_.from);
    return before >= window_ && !is_healthy(0, before);
  }

  Ending ending_without_fault() const {
    if (late_.busy) return Ending::overloaded;
    return late_.done >= kMostly * late_.offered ? Ending::steady : Ending::failing;
  }

  // The last seconds, which have to tell, were still those of the fault.
  bool is_too_soon() const { return late() < after_fault(); }

  // Whether less waits in the last quarter of the time after the fault than in the second.
  bool is_falling() const {
    const std::size_t from = std::min(after_fault(), seconds().size());
    const std::size_t quarter = (seconds().size() - from) / 4;
    const auto backlog = [&](std::size_t at) {
      return mean_of(&Step::queue, at, at + quarter) +
             mean_of(&Step::server_queue, at, at + quarter);
    };
    return backlog(seconds().size() - quarter) < kFallingShare * backlog(from + quarter);
  }

  std::string after_what() const {
    if (worst_ == nullptr) return "the start";
    return fmt::format("the {} of {} ended", to_text(worst_->kind), worst_->target_name);
  }

  // What keeps it down, from the last seconds.
  std::string late_numbers() const {
    const std::string can = std::isfinite(capacity_)
                                ? fmt::format(", which can do {:.4g}/s", capacity_)
                                : std::string{};
    const std::string held = late_.held_by
                                 ? fmt::format("; {} holds back more", setting_of(*late_.held_by))
                                 : std::string{};
    return fmt::format(
        "in the end {:.4g} events/s make {:.4g} calls/s ({:.3g} each) to {}{}; {:.3g} events/s are "
        "done, and {:.0f} calls wait there{}",
        late_.offered, late_.attempted, late_.offered > 0 ? late_.attempted / late_.offered : 0,
        name_, can, late_.done, seconds().empty() ? 0 : seconds().back().server_queue, held);
  }

  // From where on the end tells: what came before the end of a fault does not. What comes in bursts
  // may be behind in the last seconds alone: without a fault the second half tells as well.
  std::size_t telling() const {
    if (!scenario_.faults.empty()) {
      const std::size_t least = seconds().size() - std::min(seconds().size(), window_);
      return std::max(late(), std::min(after_fault(), least));
    }
    const bool is_behind = !is_healthy(late(), seconds().size());
    return is_behind ? std::min(late(), seconds().size() / 2) : late();
  }

  std::string steady_text() const {
    const std::string failures = failures_text(late_);
    return fmt::format("steady: {:.4g} of {:.4g} events/s are done in the end{}{}",
                       mean_of(&Step::succeeded, telling(), seconds().size()),
                       mean_of(&Step::offered, telling(), seconds().size()),
                       failures.empty() ? "" : "; ", failures);
  }

  // A limit that somebody chose can be chosen otherwise; the others answer to calls that fail.
  std::string held_back_text() const {
    const std::string_view setting = setting_of(*late_.held_by);
    const bool is_chosen = late_.held_by == Guardrail::rateLimit ||
                           late_.held_by == Guardrail::concurrency;
    return fmt::format("held back by {} of {}: {:.4g}/s are done of {:.4g}/s offered; {}", setting,
                       name_, late_.done, late_.offered,
                       is_chosen
                           ? fmt::format("a higher {} or less load", setting)
                           : fmt::format("{:.3g} % of all calls failed", late_.ever_failed * 100));
  }

  std::string failing_text() const {
    const std::string failures = failures_text(late_);
    return fmt::format("failing, without a fault: {:.4g}/s are done of {:.4g}/s offered to {}{}{}",
                       late_.done, late_.offered, name_, failures.empty() ? "" : "; ", failures);
  }

  std::string caught_up_text(const Verdict& verdict) const {
    if (!verdict.caught_up_after) return "what had piled up is still being worked on";
    return fmt::format("all is caught up {:.3g} s after {}", *verdict.caught_up_after,
                       scenario_.faults.size() == 1 ? "it" : "the last fault");
  }

  std::string sentence(const Verdict& verdict) const {
    const double since = worst_ == nullptr ? 0 : to_seconds(worst_->at + worst_->lasts);
    const auto watched = static_cast<double>(seconds().size()) - since;
    switch (verdict.ending) {
      case Ending::steady: return steady_text();
      case Ending::heldBack: return held_back_text();
      case Ending::failing: return failing_text();
      case Ending::recovers:
        return fmt::format("recovers {:.3g} s after {}; {}", *verdict.recovered_after, after_what(),
                           caught_up_text(verdict));
      case Ending::metastable:
        return fmt::format("never recovers: metastable. {:.0f} s after {}, {}", watched,
                           after_what(), late_numbers());
      case Ending::overloaded:
        return fmt::format(
            "overloaded: more {} than can be done; {}",
            late_.offered > capacity_ || !late_.busy ? "is offered" : "calls are made",
            late_numbers());
      case Ending::unfinished:
        return fmt::format("has not recovered {:.0f} s after {}, {}; {}", watched, after_what(),
                           is_too_soon() ? "which is too soon to tell" : "but the backlog falls",
                           late_numbers());
      case Ending::paused:
        return fmt::format("paused itself after {:.0f} s and waits for a person: {}",
                           *tally_.paused_at, tally_.paused_why);
    }
    return {};
  }

  const Scenario& scenario_;
  const Tally& tally_;
  const std::string& name_;
  const double capacity_;
  const Late late_;
  Span fault_;  // from the begin of the first to the end of the last
  std::size_t window_ = 5;
  bool closed_ = false;
  const FaultSpec* worst_ = nullptr;  // that it took longest after
};

bool is_worse(const Verdict& one, const Verdict& other) {
  if (one.ending != other.ending) return one.ending > other.ending;
  return one.recovered_after.value_or(0) > other.recovered_after.value_or(0);
}

}  // namespace

Verdict judge(const Scenario& scenario, const std::vector<Tally>& tallies) {
  std::optional<Verdict> worst;
  for (std::size_t i = 0; i < tallies.size(); ++i) {
    if (tallies[i].totals.events == 0) continue;
    Verdict verdict = Course(scenario, i, tallies).verdict();
    if (!worst || is_worse(verdict, *worst)) worst = std::move(verdict);
  }
  if (!worst) return {.sentence = "steady: nothing was offered"};
  return *worst;
}

}  // namespace weir::sim
