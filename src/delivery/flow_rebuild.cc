// SPDX-License-Identifier: Apache-2.0
// Finds the events behind released holds again, after a restart or when more were held than are
// remembered.
#include <algorithm>

#include "base/assert.h"
#include "delivery/flow.h"
#include "policy/ordering_key.h"

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
      first = std::min(first, std::max(hold->first, keys_.known_until(key) + 1));
      last = std::max(last, hold->last);
    }
    being_rebuilt_ = std::exchange(to_rebuild_, {});
    if (found.empty()) continue;
    const bool complete = co_await scan_for_holds(found, first, last);
    if (!complete) {  // the engine's chores try again
      for (const auto& [key, seqs] : found) to_rebuild_.insert(key);
      break;
    }
    bool failed = false;
    for (auto& [key, seqs] : found) {
      const bool cut = seqs.size() >= kBehindMax;
      const std::uint64_t known_until = cut ? *seqs.rbegin() : last;
      const bool told = co_await leave_out_known(seqs);
      if (!told) {
        failed = true;
        to_rebuild_.insert(key);
        continue;
      }
      keys_.rebuilt(key, seqs, known_until);
      being_rebuilt_.erase(key);
      drain_key(key);
    }
    if (failed) break;
  }
  being_rebuilt_.clear();
  rebuilding_ = false;
}

// The filter may have changed since: an event of the key that has a settlement or a row was never
// held.
async::Task<bool> Flow::leave_out_known(std::set<std::uint64_t>& seqs) {
  for (auto seq = seqs.begin(); seq != seqs.end() && !stopping_;) {
    const Position position{stream(), 0, *seq};
    auto settled = co_await parts_.store.deliveries().settlement(id(), position);
    auto row = co_await parts_.store.deliveries().get({id(), position});
    if (!settled.ok() || !row.ok()) {
      parts_.on_error(settled.ok() ? row.error() : settled.error());
      co_return false;
    }
    const bool known = settled->has_value() || row->has_value();
    seq = known ? seqs.erase(seq) : std::next(seq);
  }
  co_return !stopping_;
}

async::Task<bool> Flow::scan_for_holds(Behind& found, std::uint64_t first, std::uint64_t last) {
  const auto collect = [&](const StoredEvent& stored) {
    const std::uint64_t seq = stored.position.seq;
    if (seq > last) return;
    const auto event = decode_event(stored.record);
    WEIR_ASSERT(event.ok());  // the store verified the record's checksum
    const std::string key = policy::ordering_key(*event, spec_);
    const auto entry = found.find(key);
    const Hold* hold = keys_.find_hold(key);
    if (entry == found.end() || hold == nullptr || seq < hold->first || seq > hold->last ||
        seq <= keys_.known_until(key))
      return;
    entry->second.insert(seq);
    if (entry->second.size() > kBehindMax) entry->second.erase(std::prev(entry->second.end()));
  };
  // The log, then what retention moved aside: nothing is missed if it moves something in between. A
  // quarantined event is in both.
  for (const bool from_kept : {false, true}) {
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
