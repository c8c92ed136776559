// SPDX-License-Identifier: Apache-2.0
// Finds the events behind released holds again, after a restart or when more were held than are
// remembered.
#include <algorithm>

#include "delivery/flow.h"

namespace weir::delivery {

// One scan serves every key that waits for it: the cost is one pass over the range, not one per
// key.
async::Task<> Flow::rebuild_holds() {
  while (!to_rebuild_.empty() && !stopping_) {
    Behind found;
    std::uint64_t first = kSeqMax;
    std::uint64_t last = 0;
    for (const std::string& key : to_rebuild_) {
      const Hold* hold = keys_.find_hold(key);
      if (hold == nullptr) continue;
      found.try_emplace(key);
      first = std::min(first, hold->first);
      last = std::max(last, hold->last);
    }
    to_rebuild_.clear();
    if (found.empty()) continue;
    const bool complete = co_await scan_for_holds(found, first, last);
    if (!complete) {  // the engine's chores try again
      for (const auto& [key, seqs] : found) to_rebuild_.insert(key);
      break;
    }
    for (auto& [key, seqs] : found) {
      const bool cut = seqs.size() >= kBehindMax;
      keys_.rebuilt(key, seqs, cut ? *seqs.rbegin() : last);
      drain_key(key);
    }
  }
  rebuilding_ = false;
}

async::Task<bool> Flow::scan_for_holds(Behind& found, std::uint64_t first, std::uint64_t last) {
  const auto collect = [&](const StoredEvent& event) {
    std::string key;
    const std::uint64_t seq = event.position.seq;
    if (seq > last || !matches(event, key)) return;
    const auto entry = found.find(key);
    const Hold* hold = keys_.find_hold(key);
    if (entry == found.end() || hold == nullptr || seq < hold->first || seq > hold->last) return;
    entry->second.insert(seq);
    if (entry->second.size() > kBehindMax) entry->second.erase(std::prev(entry->second.end()));
  };
  // Events that retention moved aside, then those in the log: together every event of the range, in
  // order, because retention takes the oldest. A quarantined event is in both; the gate ignores
  // what it knows already.
  for (const bool from_kept : {true, false}) {
    std::uint64_t next = first;
    while (next <= last && !stopping_) {
      Result<std::vector<StoredEvent>> events = Error{Code::internal, "", ""};
      if (from_kept) {
        events = co_await parts_.store.events().read_kept(id(), Position{stream(), 0, next},
                                                          kReadEvents);
      } else {
        events = co_await parts_.store.events().read(stream(), next, kReadEvents, kReadBytes);
      }
      if (!events.ok()) {
        parts_.on_error(events.error());
        co_return false;
      }
      if (events->empty()) break;
      for (const StoredEvent& event : *events) collect(event);
      next = events->back().position.seq + 1;
    }
  }
  co_return !stopping_;
}

}  // namespace weir::delivery
