// SPDX-License-Identifier: Apache-2.0
#include "workload.h"

#include <algorithm>

#include <fmt/format.h>

#include "holdings.h"
#include "ports/dedupe_hash.h"

namespace weir::cycles {
namespace {

using namespace ports;

constexpr std::uint64_t kLongStream = 4096 - 20;  // events, just before a segment is full
constexpr std::uint64_t kKnownAgain = 3;

std::string key_of(DeliveryRef ref) { return fmt::format("k{}", ref.position.seq); }

DeliveryRef ref_of(FlowId flow, std::uint64_t seq) { return {flow, {kOrders, 0, seq}}; }

}  // namespace

Features features_of(std::uint64_t seed) {
  Rng rng(seed * 2 + 1);
  const auto one_in = [&](std::uint64_t odds) { return rng.below(odds) == 0; };
  Features drawn;
  drawn.encrypted = one_in(4);
  drawn.long_stream = one_in(24);
  drawn.large_events = one_in(4);
  drawn.retries = !one_in(4);
  drawn.replays = !one_in(4);
  drawn.effects = !one_in(3);
  drawn.edits = one_in(2);
  drawn.access = one_in(3);
  drawn.retention = !one_in(3);
  drawn.second_flow = one_in(2);
  drawn.restarts = one_in(2);
  drawn.batches = drawn.long_stream ? 10 : 20 + rng.below(20);
  drawn.log_bytes = one_in(4) ? 64u << 20 : (24u + 16 * rng.below(4)) << 10;
  return drawn;
}

Workload::Workload(std::uint64_t seed) : features_(features_of(seed)), rng_(seed) {
  steps_ = {&Workload::publish, &Workload::publish, &Workload::settle, &Workload::fail,
            &Workload::fail,    &Workload::finish,  &Workload::note};
  if (features_.replays) steps_.insert(steps_.end(), 3, &Workload::replay);
  if (features_.effects) steps_.push_back(&Workload::effect);
  if (features_.edits) steps_.push_back(&Workload::edit);
  if (features_.access) steps_.push_back(&Workload::access);
  if (features_.retention) steps_.push_back(&Workload::trim);
  if (features_.encrypted) steps_.push_back(&Workload::keys);
}

WriteBatch Workload::next() {
  batch_ = {};
  joining_.reset();
  if (turn_++ == 0) {
    begin();
    return batch_;
  }
  const Step step = steps_[rng_.below(steps_.size())];
  (this->*step)();
  if (batch_.mutations.empty()) publish();  // there was nothing to do that to
  return batch_;
}

void Workload::learn(const Receipt& receipt) {
  for (const AppendResult& one : receipt.appended) {
    if (one.status == AppendStatus::stored && batch_.lane == Lane::ingest)
      next_seq_ = std::max(next_seq_, one.seq + 1);
  }
  if (joining_ && !receipt.groups.empty()) rows_[*joining_].group = receipt.groups.front();
  if (receipt.replay) run_.id = receipt.replay;
}

NewEvent Workload::event(std::uint64_t number, bool changed) const {
  // Told by the number alone, so that an event can be published again.
  Rng rng(number);
  std::size_t size = 20 + rng.below(400);
  if (features_.large_events && rng.below(6) == 0) size = 9000;
  if (features_.long_stream) size = 8;
  const std::string id = fmt::format("e{}", number);
  const std::string data = std::string(size, static_cast<char>('a' + number % 26)) +
                           (changed ? "!" : "");
  Event event;
  event.id = id;
  event.source = "/shop";
  event.type = "order.placed";
  event.datacontenttype = "text/plain";
  event.data = data;
  event.has_data = true;
  return {dedupe_hash(event.source, event.id), encode_event(event)};
}

Delivery Workload::row_of(DeliveryRef ref, DeliveryState state) const {
  Delivery row;
  row.ref = ref;
  row.state = state;
  row.failure = FailureClass::permanent;
  row.attempts = static_cast<std::uint32_t>(turn_);
  row.first_at = row.changed_at = now();
  row.due = now() + std::chrono::seconds{30};
  row.key = key_of(ref);
  row.event_id = fmt::format("e{}", ref.position.seq);
  row.event_type = "order.placed";
  row.reason = "422 is permanent";
  row.history = {{.number = 1, .at = now(), .status = 422, .note = "http.422"}};
  return row;
}

void Workload::audit(std::string action, std::string target) {
  add(AddAudit{{.at = now(),
                .actor = "local:anna",
                .action = std::move(action),
                .target = std::move(target),
                .reason = "because"}});
}

FlowId Workload::some_flow() {
  return FlowId{features_.second_flow ? static_cast<std::uint32_t>(1 + rng_.below(2)) : 1u};
}

std::optional<DeliveryRef> Workload::some_row(DeliveryState state) {
  std::vector<DeliveryRef> found;
  for (const auto& [ref, row] : rows_) {
    if (row.state == state) found.push_back(ref);
  }
  if (found.empty()) return std::nullopt;
  return found[rng_.below(found.size())];
}

void Workload::begin() {
  batch_.lane = Lane::ingest;
  add(PutStream{{.id = kOrders, .name = "orders"}});
  add(PutStream{{.id = kNotes, .name = "notes"}});
  for (std::uint32_t flow = 1; flow <= (features_.second_flow ? 2 : 1); ++flow) {
    const std::string name = flow == 1 ? "ship" : "bill";
    add(PutFlow{{.id = FlowId{flow}, .name = name, .identity = name, .stream = kOrders}});
  }
  AppendEvents append{kOrders, {}, now()};
  const std::uint64_t count = features_.long_stream ? kLongStream : 3;
  while (append.events.size() < count) append.events.push_back(event(++published_, false));
  add(std::move(append));
}

void Workload::publish() {
  batch_.lane = Lane::ingest;
  AppendEvents append{kOrders, {}, now()};
  for (std::uint64_t count = 1 + rng_.below(5); count > 0; --count) {
    const bool repeat = published_ > 0 && odds(5);
    const std::uint64_t number = repeat ? 1 + rng_.below(published_) : ++published_;
    append.events.push_back(event(number, repeat && odds(3)));
  }
  add(std::move(append));
}

WriteBatch Workload::probe() const {
  AppendEvents append{kOrders, {}, now()};
  for (std::uint64_t back = 0; back < kKnownAgain && back < published_; ++back)
    append.events.push_back(event(published_ - back, false));
  append.events.push_back(event(published_ + 1, false));
  WriteBatch batch{.lane = Lane::ingest, .preconditions = {}, .mutations = {}};
  batch.mutations.push_back(PutStream{{.id = kOrders, .name = "orders"}});  // known or not
  batch.mutations.push_back(std::move(append));
  batch.mutations.push_back(PutMeta{kMetaKey, "probed"});
  batch.mutations.push_back(AddAudit{{.at = now(), .actor = "weir", .action = "probe"}});
  return batch;
}

void Workload::settle() {
  const FlowId flow = some_flow();
  std::uint64_t& floor = floors_.try_emplace(flow, 1).first->second;
  const std::uint64_t end = std::min(next_seq_, floor + 1 + rng_.below(6));
  if (floor >= end) return;
  AddSettlements done{flow, kOrders, now(), {}};
  for (std::uint64_t seq = floor; seq < end; ++seq)
    done.settlements.push_back({seq, 204, static_cast<std::uint32_t>(rng_.below(9000)), 1});
  Cursor cursor{.floor = end, .mark = end + 20, .settled = {}};
  if (odds(2)) cursor.settled = {{end + 2, end + 4}, {end + 7, end + 8}};
  floor = end;
  add(PutCursor{flow, cursor});
  add(std::move(done));
}

// A first failure, or another one of what waits.
void Workload::fail() {
  std::optional<DeliveryRef> ref = some_row(DeliveryState::waiting);
  if (!ref || odds(2)) {
    if (first_seq_ >= next_seq_) return;
    const std::uint64_t newest = std::min<std::uint64_t>(next_seq_ - first_seq_, 30);
    ref = ref_of(some_flow(), next_seq_ - 1 - rng_.below(newest));
    if (rows_.contains(*ref)) return;
  }
  if (!features_.retries || odds(2)) return quarantine(*ref);
  rows_[*ref].state = DeliveryState::waiting;
  add(PutDelivery{row_of(*ref, DeliveryState::waiting)});
}

void Workload::quarantine(DeliveryRef ref) {
  rows_[ref].state = DeliveryState::quarantined;
  rows_[ref].changed = turn_;
  joining_ = ref;
  add(PutDelivery{row_of(ref, DeliveryState::quarantined)});
  add(KeepEvent{ref});
  const std::string hash = fmt::format("{:016x}", rng_.below(3));
  add(JoinGroup{.ref = ref,
                .flow = ref.flow,
                .dependency = "tracker",
                .failure = FailureClass::permanent,
                .failure_mode = "",
                .fingerprint = {.hash = hash, .title = "t" + hash, .normalised = hash},
                .at = now()});
  add(PutHold{{.flow = ref.flow, .key = key_of(ref), .holder = ref.position}});
  audit("quarantine", key_of(ref));
}

void Workload::finish() {
  const auto ref = some_row(odds(2) ? DeliveryState::waiting : DeliveryState::quarantined);
  if (!ref || std::ranges::find(run_.open, *ref) != run_.open.end()) return;
  Row& row = rows_[*ref];
  const bool quarantined = row.state == DeliveryState::quarantined;
  row.state = quarantined ? DeliveryState::discarded : DeliveryState::done;
  add(PutDelivery{row_of(*ref, row.state)});
  if (!quarantined) return;
  batch_.preconditions.push_back(DeliveryIs{*ref, DeliveryState::quarantined});
  add(LeaveGroup{std::exchange(row.group, GroupId{})});
  add(DropKeptEvent{*ref});
  add(DropHold{ref->flow, key_of(*ref)});
  audit("quarantine.discard", key_of(*ref));
}

void Workload::edit() {
  const auto ref = some_row(DeliveryState::quarantined);
  if (!ref || rows_[*ref].revision >= kRevisionsMax) return;
  add(PutRevision{{.ref = *ref,
                   .number = ++rows_[*ref].revision,
                   .at = now(),
                   .editor = "anna",
                   .reason = "a typo",
                   .record = event(ref->position.seq, true).record}});
  audit("event.edit", key_of(*ref));
}

// Plans, freezes, releases one after the other, completes: a step each time.
void Workload::replay() {
  batch_.lane = Lane::operate;
  if (!run_.id) {
    Replay made{.plan = {.selection = {.flow = "ship"}, .reason = "fixed", .actor = "local:anna"},
                .created_at = now(),
                .cutoff = now()};
    run_.planned = turn_;
    add(CreateReplay{made});
    audit("replay.plan", "ship");
    return;
  }
  if (run_.state == ReplayState::planning) return freeze();
  if (!run_.open.empty()) return claim(run_.open.back());
  Replay over{
      .id = run_.id, .state = ReplayState::completed, .finished_at = now(), .counts = run_.counts};
  add(PutReplay{over});
  audit("replay.completed", fmt::format("r{}", run_.id.value));
  run_ = {};
}

// In one go: what is in quarantine is known here, and the store must find the same.
void Workload::freeze() {
  run_.state = ReplayState::running;
  add(FreezeChunk{run_.id, {}, 1000});
  for (const auto& [ref, row] : rows_) {
    const bool in_time = row.state == DeliveryState::quarantined && row.changed < run_.planned;
    if (ref.flow == FlowId{1} && in_time) run_.open.push_back(ref);
  }
  add(PutReplay{{.id = run_.id, .state = ReplayState::running, .started_at = now()}});
}

// Released, called and settled within one turn: done, or back to where it was.
void Workload::claim(DeliveryRef ref) {
  Row& row = rows_[ref];
  run_.open.pop_back();
  ++run_.counts.sent;
  batch_.preconditions.push_back(DeliveryIs{ref, DeliveryState::quarantined});
  add(LeaveGroup{std::exchange(row.group, GroupId{})});
  const bool again = odds(3);
  add(SetReplayItem{run_.id, ref, again ? ItemState::failedAgain : ItemState::succeeded});
  ++(again ? run_.counts.failed_again : run_.counts.succeeded);
  if (again) {
    quarantine(ref);
  } else {
    row.state = DeliveryState::done;
    add(PutDelivery{row_of(ref, DeliveryState::done)});
    add(DropKeptEvent{ref});
    add(DropHold{ref.flow, key_of(ref)});
  }
  add(PutReplay{{.id = run_.id, .state = ReplayState::running, .counts = run_.counts}});
}

void Workload::effect() {
  if (odds(6)) return add(DropEffects{"tracker", now() - std::chrono::seconds{5}, 2});
  const std::uint64_t seq = 1 + rng_.below(next_seq_);
  const std::string key = fmt::format("{:032x}", rng_.below(6));
  const std::uint32_t before = effects_.contains(key) ? effects_[key] : 0;
  constexpr EffectState kStates[] = {EffectState::sent, EffectState::confirmed,
                                     EffectState::failedNoEffect, EffectState::inDoubt};
  Effect one;
  one.key = key;
  one.state = kStates[rng_.below(std::size(kStates))];
  one.version = before + 1;
  one.delivery = ref_of(some_flow(), seq);
  one.dependency = "tracker";
  one.method = "POST";
  one.target = "/issues";
  one.changed_at = now();
  one.answer = {201, {{"content-type", "text/plain"}}, "made"};
  effects_[key] = one.version;
  add(PutEffect{one});
}

void Workload::trim() {
  batch_.lane = Lane::operate;
  const std::uint64_t before = std::min(next_seq_, first_seq_ + 1 + rng_.below(12));
  if (before <= first_seq_) return;
  add(TrimStream{kOrders, before, {}});
  audit("retention", fmt::format("{}", before));
  first_seq_ = before;
  std::erase_if(rows_, [&](const auto& entry) {
    return entry.first.position.seq < before && is_settled(entry.second.state);
  });
}

void Workload::access() {
  batch_.lane = Lane::operate;
  const TokenId token{static_cast<std::uint32_t>(1 + rng_.below(3))};
  if (odds(3)) {
    add(DropToken{token});
  } else if (odds(2)) {
    add(PutToken{{.id = token,
                  .name = "laptop",
                  .subject = "anna",
                  .roles = {Role::admin},
                  .created = now(),
                  .expires = now() + std::chrono::hours{1},
                  .hash = std::string(32, 'h')}});
  } else {
    const ApprovalId id{++approvals_};
    batch_.preconditions.push_back(ApprovalIs{id, 0});
    add(PutApproval{{.id = id,
                     .target = "r1",
                     .hash = std::string(16, '0'),
                     .makers = {"anna"},
                     .requested = now(),
                     .expires = now() + std::chrono::hours{1},
                     .version = 1}});
  }
  audit("access", to_text(token));
}

// New data keys, or the end of everything in the notes.
void Workload::keys() {
  batch_.lane = Lane::operate;
  if (odds(2)) {
    add(RotateKeys{});
    return audit("keys.rotate", "");
  }
  if (odds(2)) {
    add(ShredStream{kNotes});
    add(TrimStream{kNotes, notes_ + 1, {}});
    return audit("keys.shred", "notes");
  }
  add(AppendEvents{kNotes, {event(1'000'000 + ++notes_, false)}, now()});
}

void Workload::note() {
  add(PutMeta{kMetaKey, fmt::format("turn {}", turn_)});
  if (odds(3)) add(SetFlowStatus{some_flow(), FlowStatus::paused, "anna", now()});
}

}  // namespace weir::cycles
