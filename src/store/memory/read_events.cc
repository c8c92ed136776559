// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "model/event.h"
#include "ports/dedupe_hash.h"
#include "store/memory/reads.h"
#include "store/records/read_limits.h"

namespace weir::store::memory {

Result<std::vector<StoredEvent>> read_events(const Tables& tables, StreamId stream,
                                             std::uint64_t first, std::size_t max_events,
                                             std::size_t max_bytes) {
  std::vector<StoredEvent> events;
  const auto log = tables.streams.find(stream);
  if (log == tables.streams.end())
    return Error{Code::unknown_stream, fmt::format("stream {}", stream.value), ""};
  std::size_t bytes = 0;
  max_events = std::min(max_events, kReadEventsMax);
  for (std::uint64_t seq = std::max(first, log->second.record.first_seq);
       events.size() < max_events; ++seq) {
    const StoredEvent* event = log->second.find(seq);
    if (event == nullptr) break;
    bytes += event->record.size();
    if (!events.empty() && bytes > max_bytes) break;
    events.push_back(*event);
  }
  return events;
}

std::vector<StoredEvent> fetch_events(const Tables& tables, const std::vector<DeliveryRef>& refs) {
  std::vector<StoredEvent> events;
  for (const DeliveryRef ref : refs) {
    const StoredEvent* event = tables.find_event(ref.position);
    const auto kept = tables.kept.find(ref);
    if (event == nullptr && kept != tables.kept.end()) event = &kept->second;
    if (event != nullptr) events.push_back(*event);
  }
  return events;
}

std::vector<StoredEvent> read_kept(const Tables& tables, FlowId flow, Position first,
                                   std::size_t max_events) {
  std::vector<StoredEvent> events;
  max_events = std::min(max_events, kReadEventsMax);
  for (auto at = tables.kept.lower_bound({flow, first}); at != tables.kept.end(); ++at) {
    if (at->first.flow != flow || events.size() == max_events) break;
    events.push_back(at->second);
  }
  return events;
}

std::optional<Position> find_event(Tables& tables, StreamId stream, const std::string& source,
                                   const std::string& id) {
  const auto log = tables.streams.find(stream);
  if (log == tables.streams.end()) return std::nullopt;
  for (const std::uint64_t seq : log->second.dedupe.find(ports::dedupe_hash(source, id))) {
    const StoredEvent* stored = log->second.find(seq);
    if (stored == nullptr) continue;
    const auto event = decode_event(stored->record);
    if (event.ok() && event->source == source && event->id == id) return stored->position;
  }
  return std::nullopt;
}

std::vector<Position> find_id(const Tables& tables, const std::string& id, std::size_t scan) {
  std::set<Position> found;
  for (const auto& [ref, row] : tables.deliveries) {
    if (row.event_id == id) found.insert(ref.position);
  }
  for (const auto& [stream, log] : tables.streams) {
    const std::size_t skip = log.events.size() - std::min(scan, log.events.size());
    for (std::size_t i = skip; i < log.events.size(); ++i) {
      const auto event = decode_event(log.events[i].record);
      if (event.ok() && event->id == id) found.insert(log.events[i].position);
    }
  }
  std::vector<Position> places(found.begin(), found.end());
  places.resize(std::min(places.size(), kFoundMax));
  return places;
}

Result<std::uint64_t> seek(const Tables& tables, StreamId stream, WallTime time) {
  const auto log = tables.streams.find(stream);
  if (log == tables.streams.end())
    return Error{Code::unknown_stream, fmt::format("stream {}", stream.value), ""};
  const auto& events = log->second.events;
  const auto at = std::ranges::lower_bound(events, time, {}, &StoredEvent::recorded);
  return log->second.record.first_seq + static_cast<std::uint64_t>(at - events.begin());
}

}  // namespace weir::store::memory
