// SPDX-License-Identifier: Apache-2.0
#include "plan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ranges>

#include <fmt/format.h>

namespace weir::engine_sim {
namespace {

using std::chrono::milliseconds;

struct Kind {
  std::string_view name;
  std::optional<Fault> needs;
  std::uint64_t weight;
};

// In the order of MoveKind.
constexpr std::array kKinds = {
    Kind{"publish", {}, 24},
    Kind{"republish", Fault::duplicates, 6},
    Kind{"mood", {}, 8},
    Kind{"powerCut", Fault::powerCut, 5},
    Kind{"kill", Fault::kill, 5},
    Kind{"restart", Fault::restart, 3},
    Kind{"syncError", Fault::syncError, 3},
    Kind{"writeError", Fault::writeError, 3},
    Kind{"readError", Fault::readError, 3},
    Kind{"fullDisk", Fault::fullDisk, 4},
    Kind{"clockJump", Fault::clockJump, 3},
    Kind{"reload", Fault::reload, 5},
    Kind{"planReplay", Fault::replays, 9},
    Kind{"tellReplay", Fault::replays, 22},
    Kind{"settleOne", Fault::operators, 5},
    Kind{"settleDoubt", Fault::operators, 2},
    Kind{"pauseFlow", Fault::operators, 4},
    Kind{"breaker", Fault::breaker, 3},
    Kind{"trim", Fault::retention, 3},
    Kind{"explain", {}, 3},
};

const Kind& kind_of(MoveKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

bool is_on(const Faults& faults, MoveKind kind) {
  const auto& needs = kind_of(kind).needs;
  return !needs || has(faults, *needs);
}

MoveKind draw_kind(Rng& rng, const Faults& faults) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < kKinds.size(); ++i)
    total += is_on(faults, static_cast<MoveKind>(i)) ? kKinds[i].weight : 0;
  std::uint64_t at = rng.below(total);
  for (std::size_t i = 0;; ++i) {
    if (!is_on(faults, static_cast<MoveKind>(i))) continue;
    if (at < kKinds[i].weight) return static_cast<MoveKind>(i);
    at -= kKinds[i].weight;
  }
}

// Often at once, so that moves meet; now and then long after.
Duration draw_gap(Rng& rng) {
  switch (rng.below(6)) {
    case 0: return Duration{0};
    case 1: return milliseconds{rng.below(5)};
    case 2:
    case 3: return milliseconds{rng.below(60)};
    case 4: return milliseconds{rng.below(1000)};
    default: return milliseconds{rng.below(6000)};
  }
}

void draw_terms(Move& move, Rng& rng, std::uint32_t& events) {
  move.a = rng.below(64);
  move.b = rng.below(64);
  move.c = rng.below(64);
  switch (move.kind) {
    case MoveKind::publish:
      move.a = events + 1;
      events = std::min(kEventsMax, events + 1 + static_cast<std::uint32_t>(rng.below(6)));
      move.b = events;
      break;
    case MoveKind::republish:
      move.a = 1 + rng.below(std::max(1u, events));
      move.b = std::min<std::uint64_t>(events, move.a + rng.below(4));
      move.c = rng.below(4) == 0 ? 1 : 0;
      break;
    case MoveKind::mood: move.a = std::array{0, 10, 40, 100}[rng.below(4)]; break;
    case MoveKind::powerCut:
    case MoveKind::kill:
      move.a = 1 + rng.below(30);
      move.b = rng.below(3) == 0 ? 1 + rng.below(40) : 0;
      break;
    case MoveKind::syncError:
      move.a = 1 + rng.below(6);
      move.b = rng.below(2);
      break;
    case MoveKind::fullDisk:
      move.a = rng.below(6);
      move.b = 200 + rng.below(4000);
      break;
    case MoveKind::clockJump:
      move.a = 1 + rng.below(rng.below(3) == 0 ? 3 * 24 * 60 : 90);
      move.b = rng.below(2);
      break;
    case MoveKind::explain: move.a = 1 + rng.below(std::max(1u, events)); break;
    default: break;
  }
}

}  // namespace

Rng die(std::uint64_t seed, std::string_view question, std::uint64_t a, std::uint64_t b,
        std::uint64_t c) {
  std::uint64_t hash = 0xcbf29ce484222325ull ^ seed;
  const auto mix = [&hash](std::uint64_t value) { hash = (hash ^ value) * 0x100000001b3ull; };
  for (const char letter : question) mix(static_cast<unsigned char>(letter));
  for (const std::uint64_t value : {seed, a, b, c}) {
    mix(value);
    hash ^= hash >> 29;
  }
  return Rng(hash);
}

Plan plan_of(std::uint64_t seed) {
  Rng rng(seed);
  Plan plan{.seed = seed, .faults = {}, .events = 0, .moves = {}};
  const bool quiet = rng.below(8) == 0;
  for (std::size_t i = 0; i < kFaults; ++i) plan.faults.set(i, rng.below(2) == 0 && !quiet);
  const std::uint64_t count = 10 + rng.below(30);
  Duration at{};
  for (std::uint32_t i = 0; i < count; ++i) {
    Move move{.index = i, .kind = i == 0 ? MoveKind::publish : draw_kind(rng, plan.faults)};
    at += draw_gap(rng);
    move.at = at;
    draw_terms(move, rng, plan.events);
    plan.moves.push_back(move);
  }
  return plan;
}

Plan without_the_rest(Plan plan) {
  std::erase_if(plan.moves, [&](const Move& move) {
    const bool publishes = move.kind == MoveKind::publish || move.kind == MoveKind::republish;
    return !is_on(plan.faults, move.kind) ||
           (publishes && (move.a > plan.events || move.a > move.b));
  });
  for (Move& move : plan.moves) {
    if (move.kind == MoveKind::publish || move.kind == MoveKind::republish)
      move.b = std::min<std::uint64_t>(move.b, plan.events);
  }
  return plan;
}

Plan with_moves(const Plan& plan, const std::vector<std::uint32_t>& indices) {
  Plan less = plan;
  std::erase_if(less.moves, [&](const Move& move) {
    return std::ranges::find(indices, move.index) == indices.end();
  });
  return less;
}

std::string_view name_of(MoveKind kind) { return kind_of(kind).name; }

std::string to_text(const Move& move) {
  return fmt::format("{:>2} {:>8} ms  {} {} {} {}", move.index, move.at / milliseconds{1},
                     name_of(move.kind), move.a, move.b, move.c);
}

std::string command_of(const Plan& plan) {
  return fmt::format("engine_sim --seeds {} --faults {} --events {} --moves {} --trace", plan.seed,
                     to_text(plan.faults), plan.events, ranges_of(plan.moves));
}

std::string ranges_of(const std::vector<Move>& moves) {
  std::string text;
  for (std::size_t i = 0; i < moves.size();) {
    std::size_t last = i;
    while (last + 1 < moves.size() && moves[last + 1].index == moves[last].index + 1) ++last;
    if (!text.empty()) text += ',';
    text += fmt::format("{}", moves[i].index);
    if (last > i) text += fmt::format("-{}", moves[last].index);
    i = last + 1;
  }
  return text.empty() ? "none" : text;
}

std::optional<std::vector<std::uint32_t>> parse_ranges(std::string_view text) {
  std::vector<std::uint32_t> numbers;
  if (text == "none") return numbers;
  for (const auto part : std::views::split(text, ',')) {
    const std::string_view range(part.begin(), part.end());
    const auto dash = range.find('-');
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    const auto read = [](std::string_view digits, std::uint32_t& into) {
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
      return error == std::errc{} && end == digits.data() + digits.size();
    };
    if (!read(range.substr(0, dash), first)) return std::nullopt;
    if (!read(dash == range.npos ? range : range.substr(dash + 1), last)) return std::nullopt;
    if (last < first || last > 10'000) return std::nullopt;
    for (std::uint32_t number = first; number <= last; ++number) numbers.push_back(number);
  }
  return numbers;
}

}  // namespace weir::engine_sim
