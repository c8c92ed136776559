// SPDX-License-Identifier: Apache-2.0
// Everything the memory store holds.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/access.h"
#include "model/effect.h"
#include "model/flow_state.h"
#include "model/group.h"
#include "model/replay.h"
#include "store/records/dedupe_table.h"

namespace weir::store::memory {

struct StreamLog {
  StreamRecord record;
  WallTime last_recorded{};
  std::deque<StoredEvent> events;  // seqs first_seq .. next_seq - 1
  DedupeTable dedupe{DedupeLimits{}};

  const StoredEvent* find(std::uint64_t seq) const {
    const bool there = seq >= record.first_seq && seq < record.next_seq;
    return there ? &events[seq - record.first_seq] : nullptr;
  }
};

struct Tables {
  std::map<StreamId, StreamLog> streams;
  std::map<FlowId, FlowRecord> flows;
  std::map<DeliveryRef, StoredEvent> kept;
  std::map<DeliveryRef, Delivery> deliveries;
  std::map<DeliveryRef, std::vector<Revision>> revisions;
  std::map<std::pair<FlowId, std::string>, Hold> holds;
  std::map<std::pair<FlowId, std::uint64_t>, std::pair<Settlement, WallTime>>
      settlements;  // by seq
  std::map<GroupId, Group> groups;
  std::map<ReplayId, Replay> replays;
  std::map<std::pair<ReplayId, DeliveryRef>, ItemState> items;
  std::map<DeliveryRef, std::set<ReplayId>> replays_of;
  std::map<EffectId, Effect> effects;
  std::map<std::string, EffectId> effect_keys;
  std::vector<AuditEntry> audit;  // number = index + 1
  std::map<std::string, std::string> meta;
  std::map<TokenId, AccessToken> tokens;
  std::map<ApprovalId, Approval> approvals;
  std::uint32_t last_group = 0;
  std::uint32_t last_replay = 0;
  std::uint64_t last_effect = 0;

  const StoredEvent* find_event(Position position) const {
    const auto log = streams.find(position.stream);
    return log == streams.end() ? nullptr : log->second.find(position.seq);
  }
};

}  // namespace weir::store::memory
