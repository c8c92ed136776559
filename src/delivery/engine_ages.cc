// SPDX-License-Identifier: Apache-2.0
// How long the oldest event that is not settled has been waiting, per flow: unread, ready, under
// way, waiting for a retry or held behind its key. What is in quarantine waits for people and does
// not count.
#include <algorithm>

#include "delivery/engine.h"

namespace weir::delivery {

async::Task<> Engine::look_at_ages(std::vector<ports::FlowCounts> counts) {
  std::vector<FlowId> ids;
  for (const auto& [name, flow] : flows_) ids.push_back(flow->id());
  std::erase_if(oldest_, [&](const auto& one) { return std::ranges::count(ids, one.first) == 0; });
  for (const FlowId id : ids) {
    const auto known = std::ranges::find(counts, id, &ports::FlowCounts::flow);
    const bool has_rows = known != counts.end() && known->waiting > 0;
    auto oldest = co_await oldest_of(id, has_rows);
    if (!oldest.ok()) {
      options_.on_error(oldest.error());
      co_return;
    }
    oldest_[id] = *oldest;
  }
}

async::Task<Result<Engine::Oldest>> Engine::oldest_of(FlowId id, bool has_rows) {
  Oldest oldest{.seq = kSeqMax};
  for (const DeliveryState state :
       {DeliveryState::waiting, DeliveryState::ready, DeliveryState::inFlight}) {
    if (!has_rows) break;
    auto rows = co_await options_.store.deliveries().list({.flow = id, .state = state, .limit = 1});
    if (!rows.ok()) co_return rows.error();
    if (!rows->empty()) oldest.seq = std::min(oldest.seq, rows->front().ref.position.seq);
  }
  const Flow* flow = find_flow(id);
  if (flow == nullptr) co_return Oldest{};
  oldest.seq = std::min(oldest.seq, flow->oldest_held().value_or(kSeqMax));
  oldest.owned = oldest.seq != kSeqMax;
  const std::uint64_t floor = flow->cursor().floor();
  if (floor < oldest.seq && floor < stream_next_seq(flow->stream())) {
    oldest = {.seq = floor};
  }
  if (oldest.seq == kSeqMax) co_return Oldest{};
  const auto known = oldest_.find(id);
  if (known != oldest_.end() && known->second.seq == oldest.seq) {
    oldest.recorded = known->second.recorded;
    co_return oldest;
  }
  auto event = co_await options_.store.events().fetch(
      {DeliveryRef{id, Position{flow->stream(), 0, oldest.seq}}});
  if (!event.ok()) co_return event.error();
  if (!event->empty()) oldest.recorded = event->front().recorded;
  co_return oldest;
}

// Looked up a moment ago; what has been settled since does not count.
WallTime Engine::oldest_unsettled(const Flow& flow) const {
  const auto known = oldest_.find(flow.id());
  if (known == oldest_.end()) return flow.oldest_ready();
  const Oldest& oldest = known->second;
  const bool settled = !oldest.owned && oldest.seq < flow.cursor().floor();
  return settled ? flow.oldest_ready() : oldest.recorded;
}

std::uint64_t Engine::stream_next_seq(StreamId id) const {
  const auto stream = std::ranges::find(streams_, id, &StreamRecord::id);
  return stream == streams_.end() ? 0 : stream->next_seq;
}

}  // namespace weir::delivery
