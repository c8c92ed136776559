// SPDX-License-Identifier: Apache-2.0
#include "model/replay.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/assert.h"
#include "base/bytes.h"

namespace weir {
namespace {

constexpr std::uint8_t kPlanVersion = 5;
constexpr std::uint64_t kIdsMax = 10'000;
constexpr std::array<std::string_view, 8> kReplayStates = {
    "planning", "planned", "canary", "running", "paused", "stopped", "aborted", "completed"};
constexpr std::array<std::string_view, 8> kItems = {
    "planned", "claimed", "succeeded", "failedAgain", "skipped", "inDoubt", "stale", "discarded"};
constexpr std::array<std::string_view, 4> kMarks = {"any", "archived", "exhausted", "inDoubt"};
constexpr std::array<std::string_view, 3> kStale = {"replay", "skip", "ask"};

void write_number(ByteWriter& out, double number) { out.u64(std::bit_cast<std::uint64_t>(number)); }
double read_number(ByteReader& in) { return std::bit_cast<double>(in.u64()); }

void write_duration(ByteWriter& out, Duration duration) {
  out.u64(static_cast<std::uint64_t>(duration.count()));
}
Duration read_duration(ByteReader& in) { return Duration{static_cast<std::int64_t>(in.u64())}; }

void write_time(ByteWriter& out, const std::optional<WallTime>& time) {
  out.u8(time ? 1 : 0);
  if (time) out.u64(static_cast<std::uint64_t>(to_micros(*time)));
}
std::optional<WallTime> read_time(ByteReader& in) {
  if (in.u8() == 0) return std::nullopt;
  return from_micros(static_cast<std::int64_t>(in.u64()));
}

void write_selection(ByteWriter& out, const Selection& selection) {
  out.text(selection.group);
  out.text(selection.flow);
  out.u8(selection.failure ? static_cast<std::uint8_t>(*selection.failure) + 1 : 0);
  write_time(out, selection.since);
  write_time(out, selection.until);
  out.text(selection.where);
  out.varint(selection.ids.size());
  for (const std::string& id : selection.ids) out.text(id);
  for (const std::string* text : {&selection.dependency, &selection.key, &selection.type})
    out.text(*text);
  out.varint(selection.status);
  out.u8(static_cast<std::uint8_t>(selection.mark));
  out.u8(selection.delivered ? 1 : 0);
}

bool read_selection(ByteReader& in, Selection& selection) {
  selection.group = in.text();
  selection.flow = in.text();
  const std::uint8_t failure = in.u8();
  if (failure > kFailureClassCount) return false;
  if (failure > 0) selection.failure = static_cast<FailureClass>(failure - 1);
  selection.since = read_time(in);
  selection.until = read_time(in);
  selection.where = in.text();
  const std::uint64_t ids = in.varint();
  if (in.failed() || ids > kIdsMax) return false;
  for (std::uint64_t i = 0; i < ids; ++i) selection.ids.emplace_back(in.text());
  for (std::string* text : {&selection.dependency, &selection.key, &selection.type})
    *text = in.text();
  selection.status = in.varint_as<std::uint32_t>();
  const std::uint8_t mark = in.u8();
  if (mark >= kMarks.size()) return false;
  selection.mark = static_cast<Mark>(mark);
  selection.delivered = in.u8() != 0;
  return !in.failed();
}

void write_checks(ByteWriter& out, const std::vector<PlanCheck>& checks) {
  out.varint(checks.size());
  for (const PlanCheck& check : checks) {
    out.u8(static_cast<std::uint8_t>(check.kind));
    out.text(check.subject);
    write_duration(out, check.duration);
    out.u8(check.paused ? 1 : 0);
    write_duration(out, check.from);
    write_duration(out, check.until);
    out.varint(check.status);
    out.text(check.header);
    out.text(check.value);
    out.text(check.query);
    write_number(out, check.below);
  }
}

bool read_checks(ByteReader& in, std::vector<PlanCheck>& checks) {
  const std::uint64_t count = in.varint();
  if (in.failed() || count > kChecksMax) return false;
  checks.resize(count);
  for (PlanCheck& check : checks) {
    const std::uint8_t kind = in.u8();
    if (kind > static_cast<std::uint8_t>(CheckKind::prometheus)) return false;
    check.kind = static_cast<CheckKind>(kind);
    check.subject = in.text();
    check.duration = read_duration(in);
    check.paused = in.u8() != 0;
    check.from = read_duration(in);
    check.until = read_duration(in);
    check.status = in.varint_as<std::uint32_t>();
    check.header = in.text();
    check.value = in.text();
    check.query = in.text();
    check.below = read_number(in);
  }
  return !in.failed();
}

constexpr StopRule StopConditions::* kStopRules[] = {
    &StopConditions::failure_share, &StopConditions::same_fingerprint,
    &StopConditions::breaker_open,  &StopConditions::latency,
    &StopConditions::live_lag,      &StopConditions::duration};

}  // namespace

bool Selection::empty() const { return *this == Selection{}; }

std::string_view to_text(ReplayState state) {
  const auto index = static_cast<std::size_t>(state);
  WEIR_ASSERT(index < kReplayStates.size());
  return kReplayStates[index];
}

std::string_view to_text(ItemState state) {
  const auto index = static_cast<std::size_t>(state);
  WEIR_ASSERT(index < kItems.size());
  return kItems[index];
}

std::string_view to_text(Mark mark) { return kMarks[static_cast<std::size_t>(mark)]; }

std::optional<Mark> parse_mark(std::string_view text) {
  for (std::size_t i = 0; i < kMarks.size(); ++i) {
    if (kMarks[i] == text) return static_cast<Mark>(i);
  }
  return std::nullopt;
}

std::string_view to_text(Stale stale) { return kStale[static_cast<std::size_t>(stale)]; }

double next_rate(const RatePlan& plan, double rate) {
  if (plan.steps.empty()) return rate * std::max(plan.ramp_factor, 1.0);
  const auto next = std::ranges::upper_bound(plan.steps, rate);
  return next == plan.steps.end() ? rate : *next;
}

std::uint64_t canary_size(const Canary& canary, std::uint64_t planned) {
  if (canary.share <= 0) return canary.count;
  const double size = std::ceil(canary.share / 100 * static_cast<double>(planned));
  return static_cast<std::uint64_t>(std::max(size, 1.0));
}

std::string_view to_text(StopAction action) {
  switch (action) {
    case StopAction::stop: return "stop";
    case StopAction::pause: return "pause";
    case StopAction::slow: return "slow";
  }
  return "";
}

std::string encode_selection(const Selection& selection) {
  ByteWriter out;
  write_selection(out, selection);
  return std::move(out).take();
}

Result<Selection> decode_selection(std::string_view bytes) {
  ByteReader in(bytes);
  Selection selection;
  if (read_selection(in, selection) && in.at_end()) return selection;
  return Error{Code::store_corrupt, "a selection is damaged", "weir store check"};
}

std::string encode_replay_plan(const ReplayPlan& plan) {
  ByteWriter out;
  out.u8(kPlanVersion);
  write_selection(out, plan.selection);
  write_checks(out, plan.preconditions);
  write_number(out, plan.rate.start_per_second);
  write_number(out, plan.rate.max_per_second);
  write_number(out, plan.rate.ramp_factor);
  write_duration(out, plan.rate.step);
  out.varint(plan.rate.concurrency);
  out.varint(plan.canary.count);
  write_duration(out, plan.canary.hold);
  write_number(out, plan.rate.share);
  out.varint(plan.rate.steps.size());
  for (const double rate : plan.rate.steps) write_number(out, rate);
  write_number(out, plan.canary.share);
  out.u8(static_cast<std::uint8_t>(plan.staleness.expired));
  out.u8(static_cast<std::uint8_t>(plan.staleness.superseded));
  write_terms(out, plan.terms);
  write_checks(out, plan.verify.checks);
  for (const bool flag : {plan.verify.nothing_returned, plan.verify.after_canary,
                          plan.verify.each_step, plan.verify.at_end})
    out.u8(flag ? 1 : 0);
  for (const auto rule : kStopRules) {
    write_number(out, (plan.stop.*rule).limit);
    out.u8(static_cast<std::uint8_t>((plan.stop.*rule).then));
  }
  out.text(plan.reason);
  out.text(plan.actor);
  out.varint(plan.makers.size());
  for (const std::string& maker : plan.makers) out.text(maker);
  out.varint(plan.edited);
  out.text(plan.revisions);
  return std::move(out).take();
}

Result<ReplayPlan> decode_replay_plan(std::string_view blob) {
  const Error damaged{Code::store_corrupt, "a replay plan is damaged", "weir store check"};
  ByteReader in(blob);
  ReplayPlan plan;
  if (in.u8() != kPlanVersion || !read_selection(in, plan.selection)) return damaged;
  if (!read_checks(in, plan.preconditions)) return damaged;
  plan.rate.start_per_second = read_number(in);
  plan.rate.max_per_second = read_number(in);
  plan.rate.ramp_factor = read_number(in);
  plan.rate.step = read_duration(in);
  plan.rate.concurrency = in.varint_as<std::uint32_t>();
  plan.canary.count = in.varint_as<std::uint32_t>();
  plan.canary.hold = read_duration(in);
  plan.rate.share = read_number(in);
  const std::uint64_t steps = in.varint();
  if (in.failed() || steps > kRateStepsMax) return damaged;
  for (std::uint64_t i = 0; i < steps; ++i) plan.rate.steps.push_back(read_number(in));
  plan.canary.share = read_number(in);
  for (Stale* stale : {&plan.staleness.expired, &plan.staleness.superseded}) {
    const std::uint8_t value = in.u8();
    if (value >= kStale.size()) return damaged;
    *stale = static_cast<Stale>(value);
  }
  if (!read_terms(in, plan.terms)) return damaged;
  if (!read_checks(in, plan.verify.checks)) return damaged;
  for (bool* flag : {&plan.verify.nothing_returned, &plan.verify.after_canary,
                     &plan.verify.each_step, &plan.verify.at_end})
    *flag = in.u8() != 0;
  for (const auto rule : kStopRules) {
    (plan.stop.*rule).limit = read_number(in);
    const std::uint8_t then = in.u8();
    if (then > static_cast<std::uint8_t>(StopAction::slow)) return damaged;
    (plan.stop.*rule).then = static_cast<StopAction>(then);
  }
  plan.reason = in.text();
  plan.actor = in.text();
  for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left)
    plan.makers.emplace_back(in.text());
  plan.edited = in.varint();
  plan.revisions = in.text();
  if (in.failed() || !in.at_end()) return damaged;
  return plan;
}

std::string encode_check_results(const std::vector<CheckResult>& results) {
  ByteWriter out;
  out.varint(results.size());
  for (const CheckResult& result : results) {
    out.u8(static_cast<std::uint8_t>(result.verdict));
    out.text(result.check);
    out.text(result.detail);
  }
  return std::move(out).take();
}

Result<std::vector<CheckResult>> decode_check_results(std::string_view blob) {
  const Error damaged{Code::store_corrupt, "the checks of a replay are damaged",
                      "weir store check"};
  ByteReader in(blob);
  const std::uint64_t count = in.varint();
  if (in.failed() || count > 2 * kChecksMax) return damaged;
  std::vector<CheckResult> results(count);
  for (CheckResult& result : results) {
    const std::uint8_t verdict = in.u8();
    if (verdict > static_cast<std::uint8_t>(Verdict::inconclusive)) return damaged;
    result.verdict = static_cast<Verdict>(verdict);
    result.check = in.text();
    result.detail = in.text();
  }
  if (in.failed() || !in.at_end()) return damaged;
  return results;
}

}  // namespace weir
