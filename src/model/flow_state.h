// SPDX-License-Identifier: Apache-2.0
// What the store knows about a flow and a stream, beside their deliveries.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/time.h"
#include "model/audit.h"
#include "model/position.h"

namespace weir {

struct StreamRecord {
  StreamId id;
  std::string name;
  std::uint64_t next_seq = 1;   // persisted, never derived from what is left
  std::uint64_t first_seq = 1;  // events below are trimmed by retention
  Duration dedupe_window = std::chrono::hours{24};
  std::uint64_t dedupe_max_entries = 1'000'000;  // 0 = no dedupe
};

// Where a flow stands in its stream. Everything below `floor` is settled or owned by a row or a
// hold; `settled` lists what is so above it; what is not settled at or above `mark` was never sent.
struct Cursor {
  std::uint64_t floor = 1;
  std::uint64_t mark = 1;
  std::vector<SeqRange> settled;  // sorted, disjoint, non-empty ranges, none below the floor
  bool operator==(const Cursor&) const = default;
};

enum class FlowStatus : std::uint8_t {
  active,
  paused,   // by an operator or by a decision; reason says which
  removed,  // no longer in the configuration: keeps cursor and quarantine, delivers nothing
};
std::string_view to_text(FlowStatus status);

enum class PauseCause : std::uint8_t {
  none,             // not paused
  person,           // `weir flow pause`
  onFailure,        // one delivery failed, and the flow says ordering.onFailure: pauseFlow
  deadLetterBrake,  // too much of it ended in quarantine
};
std::string_view to_text(PauseCause cause);

struct FlowRecord {
  FlowId id;
  std::string name;
  std::string
      identity;  // the first name: part of every Idempotency-Key, so renaming keeps keys stable
  StreamId stream;
  std::string ordering_key;  // as configured: holds were made with it
  std::uint64_t epoch = 1;   // fences writes of an owner that lost the flow
  FlowStatus status = FlowStatus::active;
  PauseCause cause = PauseCause::none;
  std::string reason;
  WallTime since{};
  Cursor cursor;
};

// "unknown flow 'x'", with the nearest of the known names.
Error unknown_flow(std::string_view name, std::span<const std::string> known);

}  // namespace weir
