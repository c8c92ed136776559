// SPDX-License-Identifier: Apache-2.0
#include "model/replay.h"

#include <array>
#include <bit>

#include "base/assert.h"
#include "base/bytes.h"

namespace weir {
namespace {

constexpr std::uint8_t kPlanVersion = 1;
constexpr std::uint64_t kIdsMax = 10'000;
constexpr std::array<std::string_view, 8> kReplayStates = {
    "planning", "planned", "canary", "running", "paused", "stopped", "aborted", "completed"};
constexpr std::array<std::string_view, 6> kItems = {"planned",     "claimed", "succeeded",
                                                    "failedAgain", "skipped", "inDoubt"};

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
  return !in.failed();
}

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

std::string encode_replay_plan(const ReplayPlan& plan) {
  ByteWriter out;
  out.u8(kPlanVersion);
  write_selection(out, plan.selection);
  write_number(out, plan.rate.start_per_second);
  write_number(out, plan.rate.max_per_second);
  write_number(out, plan.rate.ramp_factor);
  write_duration(out, plan.rate.step);
  out.varint(plan.rate.concurrency);
  out.varint(plan.canary.count);
  write_duration(out, plan.canary.hold);
  write_number(out, plan.stop.failure_share_percent);
  out.u8(plan.stop.on_breaker_open ? 1 : 0);
  out.varint(plan.stop.same_fingerprint);
  out.text(plan.reason);
  out.text(plan.actor);
  return std::move(out).take();
}

Result<ReplayPlan> decode_replay_plan(std::string_view blob) {
  const Error damaged{Code::store_corrupt, "a replay plan is damaged", "weir store check"};
  ByteReader in(blob);
  ReplayPlan plan;
  if (in.u8() != kPlanVersion || !read_selection(in, plan.selection)) return damaged;
  plan.rate.start_per_second = read_number(in);
  plan.rate.max_per_second = read_number(in);
  plan.rate.ramp_factor = read_number(in);
  plan.rate.step = read_duration(in);
  plan.rate.concurrency = in.varint_as<std::uint32_t>();
  plan.canary.count = in.varint_as<std::uint32_t>();
  plan.canary.hold = read_duration(in);
  plan.stop.failure_share_percent = read_number(in);
  plan.stop.on_breaker_open = in.u8() != 0;
  plan.stop.same_fingerprint = in.varint_as<std::uint32_t>();
  plan.reason = in.text();
  plan.actor = in.text();
  if (in.failed() || !in.at_end()) return damaged;
  return plan;
}

}  // namespace weir
