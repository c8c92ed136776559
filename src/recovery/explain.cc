// SPDX-License-Identifier: Apache-2.0
#include "recovery/explain.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "policy/filter.h"
#include "policy/ordering_key.h"
#include "policy/redacted_event.h"
#include "recovery/effect_outlook.h"
#include "recovery/explain_why.h"
#include "recovery/references.h"
#include "recovery/shown.h"

namespace weir::recovery {
namespace {

constexpr std::size_t kGroupNameMin = 4;

// A reload may replace the configuration while the store is read: no pointer into it is kept.
struct KnownFlow {
  FlowRecord record;
  std::optional<FlowSpec> spec;
  Cursor durable;  // as the store has it: read before rows and settlements, so those include what
                   // it says
};

struct Inquiry {
  ports::Store& store;
  const Live& live;
  WallTime now;
  StreamRecord stream;
  std::optional<StoredEvent> stored;
  std::optional<Event> event;  // views into `stored`
  Explanation answer{};
};

bool covers(const Cursor& cursor, std::uint64_t seq) {
  return seq < cursor.floor ||
         std::ranges::any_of(
             cursor.settled,
             [seq](const SeqRange& range) { return seq >= range.first && seq < range.last; });
}

bool is_behind(const Hold& hold, std::uint64_t seq) {
  return hold.count > 0 && seq >= hold.first && seq <= hold.last;
}

ExplainedEvent copy_event(const Event& event) {
  ExplainedEvent copy{.id = std::string(event.id),
                      .source = std::string(event.source),
                      .type = std::string(event.type),
                      .subject = std::string(event.subject),
                      .time = std::string(event.time),
                      .datacontenttype = std::string(event.datacontenttype),
                      .dataschema = std::string(event.dataschema),
                      .has_data = event.has_data};
  for (const Extension& extension : event.extensions) {
    copy.extensions.emplace_back(extension.name, extension.value);
  }
  return copy;
}

std::string short_name(const std::vector<Group>& groups, const std::string& hash) {
  for (std::size_t size = kGroupNameMin; size < hash.size(); ++size) {
    const std::string_view prefix = std::string_view(hash).substr(0, size);
    const auto same = [&](const Group& group) {
      return group.fingerprint.hash != hash && group.fingerprint.hash.starts_with(prefix);
    };
    if (std::ranges::none_of(groups, same)) return std::string(prefix);
  }
  return hash;
}

// --- what is looked up once ---

async::Task<Result<StreamRecord>> find_stream(ports::Store& store, const Live& live,
                                              Position position) {
  auto streams = co_await store.flows().streams();
  if (!streams.ok()) co_return streams.error();
  const auto found = std::ranges::find(*streams, position.stream, &StreamRecord::id);
  if (found == streams->end()) {
    co_return Error{Code::unknown_stream,
                    fmt::format("stream {} is not in the store", position.stream.value), ""};
  }
  if (position.seq > 0 && position.seq < found->next_seq) co_return std::move(*found);
  const Position newest{position.stream, 0, found->next_seq - 1};
  co_return Error{
      Code::event_unknown, fmt::format("there is no event {} yet", to_reference(live, position)),
      newest.seq == 0 ? fmt::format("stream {} has no events", found->name)
                      : fmt::format("the newest event is {}", to_reference(live, newest))};
}

async::Task<Result<std::vector<KnownFlow>>> find_flows(ports::Store& store, const Live& live,
                                                       StreamRecord stream,
                                                       std::optional<std::string> only) {
  std::vector<KnownFlow> flows;
  std::string names;
  if (only) {
    auto wanted = find_flow(live, *only);
    if (!wanted.ok()) co_return wanted.error();
  }
  for (LiveFlow& flow : live.flows()) {
    if (flow.record.stream != stream.id) continue;
    names += (names.empty() ? "" : ", ") + flow.record.name;
    if (only && flow.record.name != *only) continue;
    KnownFlow known{.record = std::move(flow.record)};
    if (flow.spec != nullptr) known.spec = *flow.spec;
    flows.push_back(std::move(known));
  }
  if (only && flows.empty()) {
    co_return Error{Code::unknown_delivery,
                    fmt::format("flow '{}' does not read stream {}", *only, stream.name),
                    names.empty() ? "no flow does" : "flows of this stream: " + names};
  }
  auto records = co_await store.flows().flows();
  if (!records.ok()) co_return records.error();
  for (KnownFlow& flow : flows) {
    const auto record = std::ranges::find(*records, flow.record.id, &FlowRecord::id);
    if (record != records->end()) flow.durable = record->cursor;
  }
  co_return flows;
}

// From the log, or else the copy that some flow still keeps.
async::Task<Result<std::optional<StoredEvent>>> find_stored(ports::Store& store,
                                                            const std::vector<KnownFlow>& flows,
                                                            Position position) {
  auto stored = co_await store.events().fetch({DeliveryRef{FlowId{}, position}});
  if (!stored.ok()) co_return stored.error();
  for (auto flow = flows.begin(); flow != flows.end() && stored->empty(); ++flow) {
    stored = co_await store.events().fetch({DeliveryRef{flow->record.id, position}});
    if (!stored.ok()) co_return stored.error();
  }
  std::optional<StoredEvent> found;
  if (!stored->empty()) found = std::move(stored->front());
  co_return found;
}

// --- what one flow did ---

async::Task<Result<bool>> find_written(Inquiry& inquiry, FlowId flow, DeliveryExplanation& into) {
  const Position position = inquiry.answer.position;
  auto row = co_await inquiry.store.deliveries().get({flow, position});
  if (!row.ok()) co_return row.error();
  if (row->has_value()) {
    into.row = std::move(**row);
    into.row->key = shown_key(inquiry.live, flow, into.row->key);
    into.state = into.row->state;
    into.key = into.row->key;
    co_return true;
  }
  auto settlement = co_await inquiry.store.deliveries().settlement(flow, position);
  if (!settlement.ok()) co_return settlement.error();
  if (!settlement->has_value()) co_return false;
  into.settlement = (*settlement)->first;
  into.settled_at = (*settlement)->second;
  into.state = into.settlement->status == 0 ? DeliveryState::filtered : DeliveryState::done;
  co_return true;
}

async::Task<Result<HeldBy>> describe_hold(Inquiry& inquiry, Hold hold) {
  HeldBy by{.holder = to_reference(inquiry.live, hold.holder),
            .count = hold.count,
            .draining = hold.released};
  auto holder = co_await inquiry.store.deliveries().get({hold.flow, hold.holder});
  if (!holder.ok()) co_return holder.error();
  if (holder->has_value()) {
    by.state = (*holder)->state;
    by.since = (*holder)->changed_at;
    by.reason = (*holder)->reason;
  }
  co_return by;
}

// The hold of its key, from the running flow or else from the store.
async::Task<Result<std::optional<Hold>>> find_hold(Inquiry& inquiry, const KnownFlow& flow,
                                                   std::string key,
                                                   const std::optional<LiveDelivery>& running) {
  if (running) co_return running->hold;
  auto holds = co_await inquiry.store.deliveries().holds(flow.record.id);
  if (!holds.ok()) co_return holds.error();
  for (Hold& hold : *holds) {
    if (!key.empty() && hold.key == key) co_return std::optional<Hold>(std::move(hold));
  }
  co_return std::optional<Hold>{};
}

// A running flow forgets a hold as soon as it has decided about the last delivery behind it; until
// that is written the store still has the hold.
async::Task<Result<bool>> find_decided(Inquiry& inquiry, const KnownFlow& flow,
                                       DeliveryExplanation& into) {
  auto holds = co_await inquiry.store.deliveries().holds(flow.record.id);
  if (!holds.ok()) co_return holds.error();
  const Position position = inquiry.answer.position;
  const bool under_way = std::ranges::any_of(*holds, [&](const Hold& hold) {
    return hold.key == into.key && (hold.holder == position || is_behind(hold, position.seq));
  });
  if (!under_way) co_return co_await find_written(inquiry, flow.record.id, into);
  into.state = DeliveryState::inFlight;
  co_return true;
}

// Neither row nor settlement tells, and the durable cursor says that it was dealt with.
async::Task<Result<Standing>> standing_of_covered(Inquiry& inquiry, const KnownFlow& flow) {
  const std::uint64_t seq = inquiry.answer.position.seq;
  if (seq >= flow.durable.floor) co_return Standing::unknown;
  if (flow.spec) co_return Standing::beforeStart;  // settlements live as long as their events
  auto holds = co_await inquiry.store.deliveries().holds(flow.record.id);
  if (!holds.ok()) co_return holds.error();
  const bool may_be_held = std::ranges::any_of(
      *holds, [seq](const Hold& hold) { return is_behind(hold, seq); });
  co_return may_be_held ? Standing::unknown
                        : Standing::beforeStart;  // without its rules there is no key
}

void judge_first_way(DeliveryExplanation& into, const KnownFlow& flow, std::uint64_t seq,
                     const std::optional<LiveDelivery>& running) {
  const bool waits = into.flow_status != FlowStatus::active || !into.matches_now ||
                     (into.dependency_state && !into.dependency_state->refusal.empty());
  into.state = running && running->sent && !waits ? DeliveryState::inFlight : DeliveryState::ready;
  into.ahead = seq - std::min(seq, flow.durable.floor);
}

// An event without row and settlement: held, under way, ready, or none of the flow's business.
async::Task<Result<>> judge_unwritten(Inquiry& inquiry, const KnownFlow& flow,
                                      DeliveryExplanation& into) {
  const std::uint64_t seq = inquiry.answer.position.seq;
  if (!inquiry.event) {
    into.standing = Standing::trimmed;
    co_return Result<>{};
  }
  const auto running = inquiry.live.delivery(flow.record.id, inquiry.answer.position, into.key);
  auto hold = co_await find_hold(inquiry, flow, into.key, running);
  if (!hold.ok()) co_return hold.error();
  const bool held = hold->has_value() && into.matches_now && is_behind(**hold, seq);
  const bool next = hold->has_value() && (*hold)->released &&
                    (*hold)->holder == inquiry.answer.position;
  const bool later = hold->has_value() && into.matches_now &&
                     seq > std::max((*hold)->last, (*hold)->holder.seq);
  if (held || later) {
    auto by = co_await describe_hold(inquiry, std::move(**hold));
    if (!by.ok()) co_return by.error();
    into.held_by = std::move(*by);
  }
  if (held || next) {
    into.state = held ? DeliveryState::held : DeliveryState::inFlight;
    co_return Result<>{};
  }
  if (running && running->settled_or_owned) {  // it may have been decided since the store was read
    auto written = co_await find_written(inquiry, flow.record.id, into);
    if (!written.ok()) co_return written.error();
    if (*written) {
      into.held_by.reset();
      co_return Result<>{};
    }
  }
  if (running && covers(flow.durable, seq)) {
    auto decided = co_await find_decided(inquiry, flow, into);
    if (!decided.ok()) co_return decided.error();
    if (*decided) co_return Result<>{};
  }
  if (covers(flow.durable, seq)) {
    auto standing = co_await standing_of_covered(inquiry, flow);
    if (!standing.ok()) co_return standing.error();
    into.standing = seq < inquiry.stream.first_seq ? Standing::trimmed : *standing;
    co_return Result<>{};
  }
  if (running && running->settled_or_owned) {  // decided, and its commit is under way
    into.state = DeliveryState::inFlight;
    co_return Result<>{};
  }
  judge_first_way(into, flow, seq, running);
  co_return Result<>{};
}

void add_flow(Inquiry& inquiry, const KnownFlow& flow, DeliveryExplanation& into) {
  into.flow = flow.record.name;
  into.flow_status = flow.record.status;
  into.flow_reason = flow.record.reason;
  into.flow_since = flow.record.since;
  if (!flow.spec) {
    into.flow_status = FlowStatus::removed;
    return;
  }
  into.dependency = flow.spec->dependency;
  into.dependency_state = inquiry.live.dependency(into.dependency);
  into.max_attempts = flow.spec->policy.retry.max_attempts;
  into.idempotent = flow.spec->idempotent;
  into.pattern = flow.spec->where;
  if (!inquiry.event) return;
  into.key = policy::ordering_key(*inquiry.event, *flow.spec);
  if (into.pattern.empty()) return;
  const auto filter = policy::Filter::compile(into.pattern);
  into.matches_now = !filter.ok() || filter->matches(*inquiry.event);
}

async::Task<Result<>> add_group(Inquiry& inquiry, DeliveryExplanation& into) {
  if (!into.row->group || into.state != DeliveryState::quarantined) co_return Result<>{};
  auto known = co_await inquiry.store.recovery().group(into.row->group);
  if (!known.ok()) co_return known.error();
  if (!known->has_value()) co_return Result<>{};
  const std::string prefix = (*known)->fingerprint.hash.substr(0, kGroupNameMin);
  auto alike = co_await inquiry.store.recovery().groups(
      {.with_closed = true, .with_keys = true, .hash_prefix = prefix});
  if (!alike.ok()) co_return alike.error();
  const auto group = std::ranges::find(*alike, into.row->group, &Group::id);
  if (group == alike->end()) co_return Result<>{};
  into.group = *group;
  into.group_name = short_name(*alike, group->fingerprint.hash);
  if (into.dependency.empty()) into.dependency = group->dependency;
  co_return Result<>{};
}

// What belongs to a delivery with a row: its group, failure mode, replay, and who waits behind it.
async::Task<Result<>> add_revisions(Inquiry& inquiry, const Delivery& row,
                                    DeliveryExplanation& into) {
  if (row.revision == kFirstRevision || !inquiry.stored) co_return Result<>{};
  auto revisions = co_await inquiry.store.deliveries().revisions(row.ref);
  if (!revisions.ok()) co_return revisions.error();
  into.revisions = shown_revisions(*revisions, inquiry.stored->record,
                                   *inquiry.live.redaction(row.ref.position.stream));
  co_return Result<>{};
}

async::Task<Result<>> add_row_facts(Inquiry& inquiry, const KnownFlow& flow,
                                    DeliveryExplanation& into) {
  auto group = co_await add_group(inquiry, into);
  if (!group.ok()) co_return group;
  const Delivery& row = *into.row;
  auto revised = co_await add_revisions(inquiry, row, into);
  if (!revised.ok()) co_return revised;
  const FailureModeSpec* mode = row.failure_mode.empty()
                                    ? nullptr
                                    : inquiry.live.failure_mode(row.failure_mode);
  into.mode_is_configured = mode != nullptr;
  if (mode != nullptr) into.runbook = mode->runbook;
  if (is_settled(row.state)) co_return Result<>{};
  auto replay = co_await inquiry.store.recovery().replay_of(row.ref);
  if (!replay.ok()) co_return replay.error();
  into.in_replay = *replay;
  if (row.key.empty()) co_return Result<>{};
  const auto running = inquiry.live.delivery(flow.record.id, row.ref.position, row.key);
  auto hold = co_await find_hold(inquiry, flow, row.key, running);
  if (!hold.ok()) co_return hold.error();
  if (hold->has_value() && (*hold)->holder == row.ref.position) into.holds = (*hold)->count;
  co_return Result<>{};
}

async::Task<Result<>> find_effects(Inquiry& inquiry, const KnownFlow& flow,
                                   DeliveryExplanation& into) {
  auto effects = co_await inquiry.store.effects().of({{flow.record.id, inquiry.answer.position}});
  if (!effects.ok()) co_return effects.error();
  for (Effect& effect : *effects) {
    const NextCall next = next_call_of(effect, inquiry.live, inquiry.now);
    into.effects.push_back({std::move(effect), next == NextCall::held, std::string(to_text(next))});
  }
  co_return Result<>{};
}

async::Task<Result<DeliveryExplanation>> explain_flow(Inquiry& inquiry, const KnownFlow& flow) {
  DeliveryExplanation delivery;
  add_flow(inquiry, flow, delivery);
  auto written = co_await find_written(inquiry, flow.record.id, delivery);
  if (!written.ok()) co_return written.error();
  if (!*written) {
    auto judged = co_await judge_unwritten(inquiry, flow, delivery);
    if (!judged.ok()) co_return judged.error();
  }
  if (delivery.row) {
    auto added = co_await add_row_facts(inquiry, flow, delivery);
    if (!added.ok()) co_return added.error();
  }
  auto effects = co_await find_effects(inquiry, flow, delivery);
  if (!effects.ok()) co_return effects.error();
  add_sentences(delivery, inquiry.answer, inquiry.now);
  co_return delivery;
}

// Those that need somebody come first, then those on their way, then the settled ones.
int urgency(const DeliveryExplanation& delivery) {
  if (delivery.standing != Standing::known) return 6;
  switch (delivery.state) {
    case DeliveryState::quarantined: return 0;
    case DeliveryState::waiting: return 1;
    case DeliveryState::held: return 2;
    case DeliveryState::inFlight: return 3;
    case DeliveryState::ready: return 4;
    default: return 5;
  }
}

}  // namespace

std::string_view state_name(const DeliveryExplanation& delivery) {
  switch (delivery.standing) {
    case Standing::known: return to_text(delivery.state);
    case Standing::beforeStart: return "beforeStart";
    case Standing::trimmed: return "trimmed";
    case Standing::unknown: return "unknown";
  }
  return "unknown";
}

async::Task<Result<Explanation>> explain(ports::Store& store, async::Clock& clock, const Live& live,
                                         std::string reference, std::optional<std::string> flow) {
  auto position = co_await find_event(store, live, std::move(reference));
  if (!position.ok()) co_return position.error();
  auto stream = co_await find_stream(store, live, *position);
  if (!stream.ok()) co_return stream.error();
  auto flows = co_await find_flows(store, live, *stream, std::move(flow));
  if (!flows.ok()) co_return flows.error();
  auto stored = co_await find_stored(store, *flows, *position);
  if (!stored.ok()) co_return stored.error();

  Inquiry inquiry{.store = store,
                  .live = live,
                  .now = clock.wall(),
                  .stream = std::move(*stream),
                  .stored = std::move(*stored)};
  Explanation& answer = inquiry.answer;
  answer.reference = to_reference(live, *position);
  answer.stream = inquiry.stream.name;
  answer.position = *position;
  if (inquiry.stored) {
    auto event = decode_event(inquiry.stored->record);
    if (!event.ok()) co_return event.error();
    const auto redaction = inquiry.live.redaction(position->stream);
    answer.event = copy_event(policy::RedactedEvent(*event, *redaction).attributes());
    answer.event->data_bytes = event->data.size();
    answer.recorded = inquiry.stored->recorded;
    inquiry.event = std::move(*event);
  }
  for (const KnownFlow& known : *flows) {
    auto delivery = co_await explain_flow(inquiry, known);
    if (!delivery.ok()) co_return delivery.error();
    answer.deliveries.push_back(std::move(*delivery));
  }
  std::ranges::sort(answer.deliveries, {}, [](const DeliveryExplanation& delivery) {
    return std::pair(urgency(delivery), std::string_view(delivery.flow));
  });
  co_return std::move(answer);
}

}  // namespace weir::recovery
