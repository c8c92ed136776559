// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "model/event.h"
#include "store/memory/apply.h"

namespace weir::store::memory {
namespace {

using namespace ports;

// A remembered event with the same identity, within the window.
std::optional<AppendResult> find_repeated(StreamLog& log, const NewEvent& added, WallTime now) {
  for (const std::uint64_t seq : log.dedupe.find(added.dedupe_hash)) {
    const StoredEvent* stored = log.find(seq);
    if (stored == nullptr || stored->recorded + log.record.dedupe_window <= now) continue;
    const auto before = decode_event(stored->record);
    const auto event = decode_event(added.record);
    if (!before.ok() || !event.ok() || before->id != event->id || before->source != event->source)
      continue;
    return AppendResult{
        same_content(*before, *event) ? AppendStatus::duplicate : AppendStatus::conflict, seq, {}};
  }
  return std::nullopt;
}

}  // namespace

void append_events(Tables& tables, const AppendEvents& mutation, Receipt& receipt) {
  StreamLog& log = tables.streams.at(mutation.stream);
  log.last_recorded = std::max(log.last_recorded, mutation.now);  // recorded times never decrease
  for (const NewEvent& added : mutation.events) {
    if (const auto repeated = find_repeated(log, added, log.last_recorded)) {
      receipt.appended.push_back(*repeated);
      continue;
    }
    const std::uint64_t seq = log.record.next_seq++;
    log.events.push_back({Position{mutation.stream, 0, seq}, log.last_recorded, added.record});
    log.dedupe.add(added.dedupe_hash, seq, log.last_recorded);
    receipt.appended.push_back({AppendStatus::stored, seq, log.last_recorded});
  }
}

void keep_event(Tables& tables, DeliveryRef ref) {
  const StoredEvent* event = tables.find_event(ref.position);
  if (event != nullptr) tables.kept.try_emplace(ref, *event);
}

void trim_stream(Tables& tables, const TrimStream& mutation) {
  StreamLog& log = tables.streams.at(mutation.stream);
  const std::uint64_t before = std::min(mutation.before, log.record.next_seq);
  if (before <= log.record.first_seq) return;
  for (const DeliveryRef ref : mutation.keep) {
    if (ref.position.stream == mutation.stream && ref.position.seq < before)
      keep_event(tables, ref);
  }
  std::erase_if(tables.deliveries, [&](const auto& entry) {
    const auto& [ref, row] = entry;
    if (ref.position.stream != mutation.stream || ref.position.seq >= before) return false;
    if (is_open(row.state)) {
      keep_event(tables, ref);
      return false;
    }
    tables.kept.erase(ref);
    tables.revisions.erase(ref);
    return true;
  });
  while (log.record.first_seq < before) {
    log.events.pop_front();
    ++log.record.first_seq;
  }
  std::erase_if(tables.settlements, [&](const auto& entry) {
    const auto flow = tables.flows.find(entry.first.first);
    const bool of_stream = flow != tables.flows.end() && flow->second.stream == mutation.stream;
    return of_stream && entry.first.second < before;
  });
}

// Rows and groups; the events themselves go with trim_stream().
void shred_stream(Tables& tables, StreamId stream) {
  const auto of_stream = [&](FlowId id) {
    const auto flow = tables.flows.find(id);
    return flow != tables.flows.end() && flow->second.stream == stream;
  };
  std::erase_if(tables.deliveries,
                [&](const auto& entry) { return entry.first.position.stream == stream; });
  std::erase_if(tables.kept,
                [&](const auto& entry) { return entry.first.position.stream == stream; });
  std::erase_if(tables.revisions,
                [&](const auto& entry) { return entry.first.position.stream == stream; });
  std::erase_if(tables.holds, [&](const auto& entry) { return of_stream(entry.first.first); });
  std::erase_if(tables.groups, [&](const auto& entry) { return of_stream(entry.second.flow); });
}

void remove_flow(Tables& tables, FlowId flow) {
  tables.flows.erase(flow);
  std::erase_if(tables.deliveries, [&](const auto& entry) { return entry.first.flow == flow; });
  std::erase_if(tables.kept, [&](const auto& entry) { return entry.first.flow == flow; });
  std::erase_if(tables.revisions, [&](const auto& entry) { return entry.first.flow == flow; });
  std::erase_if(tables.holds, [&](const auto& entry) { return entry.first.first == flow; });
  std::erase_if(tables.settlements, [&](const auto& entry) { return entry.first.first == flow; });
  std::erase_if(tables.groups, [&](const auto& entry) { return entry.second.flow == flow; });
}

}  // namespace weir::store::memory
