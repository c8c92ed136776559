// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "store/memory/apply.h"

namespace weir::store::memory {
namespace {

using namespace ports;

Group& find_or_make_group(Tables& tables, const JoinGroup& mutation) {
  for (auto& [id, group] : tables.groups) {
    if (group.flow == mutation.flow && group.fingerprint.hash == mutation.fingerprint.hash)
      return group;
  }
  const GroupId id{++tables.last_group};
  Group& group = tables.groups[id];
  group = {.id = id,
           .fingerprint = mutation.fingerprint,
           .flow = mutation.flow,
           .dependency = mutation.dependency,
           .failure = mutation.failure,
           .failure_mode = mutation.failure_mode,
           .first_at = mutation.at};
  return group;
}

// The rows that a chunk looks at; the other conditions sort out among these.
bool in_domain(const Tables& tables, const Selection& selection, const Delivery& row) {
  if (row.state != DeliveryState::quarantined) return false;
  if (!selection.flow.empty()) {
    const auto flow = tables.flows.find(row.ref.flow);
    if (flow == tables.flows.end() || flow->second.name != selection.flow) return false;
  }
  if (selection.group.empty()) return true;
  const auto group = tables.groups.find(row.group);
  return group != tables.groups.end() && group->second.flow == row.ref.flow &&
         group->second.fingerprint.hash == selection.group;
}

bool is_selected(const Tables& tables, const Replay& replay, const Delivery& row) {
  const Selection& selection = replay.plan.selection;
  if (row.is_set_aside() || row.changed_at >= replay.cutoff) return false;
  if (selection.failure && row.failure != *selection.failure) return false;
  if (selection.since && row.changed_at < *selection.since) return false;
  if (selection.until && row.changed_at >= *selection.until) return false;
  return !tables.items.contains({replay.id, row.ref}) && !open_replay_of(tables, row.ref);
}

void add_item(Tables& tables, Replay& replay, DeliveryRef ref) {
  tables.items[{replay.id, ref}] = ItemState::planned;
  tables.replays_of[ref].insert(replay.id);
  ++replay.counts.planned;
}

}  // namespace

std::optional<ReplayId> open_replay_of(const Tables& tables, DeliveryRef ref) {
  const auto replays = tables.replays_of.find(ref);
  if (replays == tables.replays_of.end()) return std::nullopt;
  for (const ReplayId id : replays->second) {
    if (!is_over(tables.replays.at(id).state)) return id;
  }
  return std::nullopt;
}

void join_group(Tables& tables, const JoinGroup& mutation, Receipt& receipt) {
  Group& group = find_or_make_group(tables, mutation);
  ++group.open;
  ++group.total;
  group.last_at = std::max(group.last_at, mutation.at);
  group.sample = mutation.ref.position;
  tables.deliveries.at(mutation.ref).group = group.id;
  receipt.groups.push_back(group.id);
}

void create_replay(Tables& tables, const CreateReplay& mutation, Receipt& receipt) {
  const ReplayId id{++tables.last_replay};
  Replay& replay = tables.replays[id];
  replay = mutation.replay;
  replay.id = id;
  replay.state = ReplayState::planning;
  replay.counts.planned = 0;
  receipt.replay = id;
}

void freeze_chunk(Tables& tables, const FreezeChunk& mutation, Receipt& receipt) {
  Replay& replay = tables.replays.at(mutation.replay);
  receipt.freeze_next = mutation.after;
  std::uint32_t looked = 0;
  for (auto at = tables.deliveries.upper_bound(mutation.after); at != tables.deliveries.end();
       ++at) {
    const Delivery& row = at->second;
    if (looked == mutation.limit) break;
    if (!in_domain(tables, replay.plan.selection, row)) continue;
    ++looked;
    receipt.freeze_next = row.ref;
    if (!is_selected(tables, replay, row)) continue;
    add_item(tables, replay, row.ref);
    ++receipt.frozen;
  }
  receipt.freeze_done = looked < mutation.limit;
}

void add_replay_items(Tables& tables, const AddReplayItems& mutation) {
  for (const DeliveryRef& ref : mutation.refs) {
    if (tables.items.contains({mutation.replay, ref}) || open_replay_of(tables, ref)) continue;
    add_item(tables, tables.replays.at(mutation.replay), ref);
  }
}

void drop_replay(Tables& tables, ReplayId id) {
  const auto replay = tables.replays.find(id);
  if (replay != tables.replays.end() && replay->second.counts.planned == 0)
    tables.replays.erase(replay);
}

// Of finished ones that have items in the stream, or none at all.
void forget_selected(Tables& tables, StreamId stream) {
  std::map<ReplayId, bool> of_stream;
  for (const auto& [item, state] : tables.items) {
    bool& found = of_stream[item.first];
    found = found || item.second.position.stream == stream;
  }
  for (auto& [id, replay] : tables.replays) {
    const auto items = of_stream.find(id);
    const bool selects = items == of_stream.end() || items->second;
    if (is_over(replay.state) && selects) replay.plan.selection.forget_values();
  }
}

}  // namespace weir::store::memory
