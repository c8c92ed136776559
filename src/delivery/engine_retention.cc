// SPDX-License-Identifier: Apache-2.0
// Retention: events older than their stream keeps them go, in small steps, and never what an open
// delivery needs.
#include <algorithm>

#include "base/failpoint.h"
#include "base/seeded_bug.h"
#include "delivery/engine.h"

namespace weir::delivery {
namespace {
constexpr std::uint64_t kTrimEvents = 512;
}  // namespace

async::Task<bool> Engine::trim_step() {
  for (auto& [name, flow] : flows_) flow->try_again();
  close_retired();
  bool more = false;
  for (const StreamSpec& spec : std::vector<StreamSpec>(config_.streams)) {
    const auto stream = std::ranges::find(streams_, spec.name, &StreamRecord::name);
    if (stream == streams_.end()) continue;
    const bool trimmed = co_await trim_stream(*stream, options_.clock.wall() - spec.retention);
    more = more || trimmed;
  }
  co_return more;
}

async::Task<bool> Engine::trim_stream(StreamRecord& stream, WallTime before) {
  if (applying_ || shredding_) co_return false;
  const std::uint64_t reloads = reloads_;
  const StreamId id = stream.id;
  auto old = co_await options_.store.events().seek(id, before);
  if (!old.ok()) {
    options_.on_error(old.error());
    co_return false;
  }
  auto needed = co_await needed_from(id, *old);
  if (!needed.ok()) {
    options_.on_error(needed.error());
    co_return false;
  }
  const std::uint64_t end = *needed;
  const std::uint64_t first = find_stream_by_id(id)->first_seq;
  if (end <= first) co_return false;
  const std::uint64_t until = std::min(end, first + kTrimEvents);
  auto keep = co_await held_events(id, first, until);
  if (!keep.ok()) {
    options_.on_error(keep.error());
    co_return false;
  }
  if (reloads != reloads_) co_return false;  // what flows there are has changed since
  const WallTime now = options_.clock.wall();
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::TrimStream{id, until, std::move(*keep)});
  // One line for all steps of a run, with the first.
  const bool told = until <= audited_trims_[id.value];
  if (!told) {
    batch.mutations.emplace_back(
        ports::AddAudit{AuditEntry{.at = now,
                                   .actor = "weir",
                                   .action = "stream.trim",
                                   .target = find_stream_by_id(id)->name,
                                   .reason = "retention",
                                   .detail = fmt::format("events {} to {}", first, end - 1)}});
  }
  (void)WEIR_FAILPOINT("retention.before_trim");
  auto receipt = co_await options_.store.writer().commit(std::move(batch));
  if (!receipt.ok()) {
    options_.on_error(receipt.error());
    co_return false;
  }
  (void)WEIR_FAILPOINT("retention.after_trim");
  find_stream_by_id(id)->first_seq = until;
  if (!told) audited_trims_[id.value] = end;
  co_return until < end;
}

// What a flow has not dealt with yet, durably, is open; a flow that left the configuration keeps
// its place until it is removed for good, and what it holds cannot be told by its filter any more.
async::Task<Result<std::uint64_t>> Engine::needed_from(StreamId stream, std::uint64_t end) {
  for (const auto& [name, flow] : flows_) {
    if (WEIR_SEEDED_BUG("retention.cursor_ignored")) break;
    if (flow->stream() == stream) end = std::min(end, flow->cursor().durable_floor());
  }
  for (const FlowRecord& record : std::vector<FlowRecord>(removed_)) {
    if (record.stream != stream) continue;
    end = std::min(end, record.cursor.floor);
    auto holds = co_await options_.store.deliveries().holds(record.id);
    if (!holds.ok()) co_return holds.error();
    for (const Hold& hold : *holds) {
      if (hold.first != 0) end = std::min(end, hold.first);
      if (hold.released) end = std::min(end, hold.holder.seq);
    }
  }
  co_return end;
}

// Events behind holds have no row, and no settlement: what was filtered or done among them has. The
// filter may have changed since.
async::Task<Result<std::vector<DeliveryRef>>> Engine::held_events(StreamId stream,
                                                                  std::uint64_t first,
                                                                  std::uint64_t until) {
  std::vector<DeliveryRef> held;
  auto events = co_await options_.store.events().read(stream, first, kTrimEvents, SIZE_MAX);
  // Nothing behind a hold is left of a shredded stream.
  if (!events.ok() && events.error().code == Code::stream_shredded) co_return held;
  if (!events.ok()) co_return events.error();
  std::vector<DeliveryRef> candidates;
  for (const StoredEvent& stored : *events) {
    if (stored.position.seq >= until) break;
    const auto event = decode_event(stored.record);
    if (!event.ok()) co_return event.error();
    for (const auto& [name, flow] : flows_) {
      if (flow->stream() == stream && flow->may_hold(*event, stored.position.seq))
        candidates.push_back({flow->id(), stored.position});
    }
  }
  for (const DeliveryRef& ref : candidates) {
    auto settlement = co_await options_.store.deliveries().settlement(ref.flow, ref.position);
    if (!settlement.ok()) co_return settlement.error();
    auto row = co_await options_.store.deliveries().get(ref);
    if (!row.ok()) co_return row.error();
    if (WEIR_SEEDED_BUG("retention.held_not_kept")) continue;
    if (!settlement->has_value() && !row->has_value()) held.push_back(ref);
  }
  co_return held;
}

StreamRecord* Engine::find_stream_by_id(StreamId id) {
  const auto found = std::ranges::find(streams_, id, &StreamRecord::id);
  return found == streams_.end() ? nullptr : &*found;
}

}  // namespace weir::delivery
