// SPDX-License-Identifier: Apache-2.0
#include "ports/testing/reference_scenario.h"

#include <algorithm>

#include <fmt/format.h>

#include "ports/testing/store_content.h"

namespace weir::ports::testing {
namespace {

WriteBatch batch(std::vector<Mutation> mutations, Lane lane = Lane::settle) {
  return {.lane = lane, .preconditions = {}, .mutations = std::move(mutations)};
}

WriteBatch append(int first, int count) {
  AppendEvents append{kStream, {}, at(first)};
  for (int i = first; i < first + count; ++i) {
    append.events.push_back(event(fmt::format("e{}", i), std::string(400, 'x')));
  }
  return batch({append}, Lane::ingest);
}

WriteBatch quarantined(std::uint64_t seq) {
  const Hold hold{.flow = kFlow,
                  .key = fmt::format("k{}", seq),
                  .holder = place(seq),
                  .first = seq + 1,
                  .count = 1};
  return batch({PutDelivery{delivery(seq, DeliveryState::quarantined)}, KeepEvent{ref(seq)},
                join(seq, seq % 2 == 0 ? "even" : "odd", at(400)), PutHold{hold},
                AddAudit{{.action = "quarantine", .target = fmt::format("{}", seq)}}});
}

WriteBatch progress(std::uint64_t base) {
  const Cursor cursor{.floor = base, .mark = base + 10, .settled = {{base + 1, base + 3}}};
  return batch(
      {PutCursor{kFlow, cursor}, AddSettlements{kFlow,
                                                kStream,
                                                at(static_cast<std::int64_t>(base)),
                                                {{base + 1, 204, 9, 1}, {base + 2, 200, 5, 1}}}});
}

void add_replay(std::vector<WriteBatch>& batches) {
  const ReplayId id{1};
  Replay running = replay({.flow = "ship"}, at(9000));
  running.id = id;
  running.state = ReplayState::running;
  running.counts.sent = 1;
  Delivery released = delivery(4, DeliveryState::ready);
  released.replay = id;
  batches.push_back(batch({CreateReplay{replay({.flow = "ship"}, at(9000))}}, Lane::operate));
  batches.push_back(batch({FreezeChunk{id, {}, 5}}, Lane::operate));
  batches.push_back(batch({PutReplay{running}, SetReplayItem{id, ref(4), ItemState::claimed},
                           PutDelivery{released}, LeaveGroup{GroupId{1}}}));
  batches.push_back(batch({PutDelivery{delivery(4, DeliveryState::done)},
                           SetReplayItem{id, ref(4), ItemState::succeeded}, DropKeptEvent{ref(4)},
                           DropHold{kFlow, "k4"}}));
}

}  // namespace

std::vector<WriteBatch> reference_scenario() {
  std::vector<WriteBatch> batches;
  batches.push_back(
      batch({PutStream{stream(kStream, "orders")}, PutFlow{flow(kFlow, "ship")}}, Lane::operate));
  for (std::uint64_t base = 1; base <= 31; base += 10) {
    batches.push_back(append(static_cast<int>(base), 10));
    batches.push_back(progress(base));
    batches.push_back(quarantined(base + 3));
    batches.push_back(quarantined(base + 4));
  }
  add_replay(batches);
  batches.push_back(batch({TrimStream{kStream, 15, {ref(9)}}}, Lane::operate));
  batches.push_back(append(41, 5));
  return batches;
}

std::size_t commit_all(StoreBench& bench, const std::vector<WriteBatch>& batches, std::size_t first,
                       std::size_t end) {
  for (std::size_t i = first; i < end; ++i) {
    if (!bench.try_commit(batches[i]).ok()) return i;
  }
  return end;
}

Oracle::Oracle(const StoreFactory& reference, const std::vector<WriteBatch>& batches) {
  StoreBench bench(reference);
  contents_.push_back(content_of(bench));
  for (const WriteBatch& batch : batches) {
    bench.commit(batch);
    contents_.push_back(content_of(bench));
  }
}

const std::string& Oracle::at_most(std::size_t acknowledged) const {
  return contents_[std::min(acknowledged + 1, contents_.size() - 1)];
}

}  // namespace weir::ports::testing
