// SPDX-License-Identifier: Apache-2.0
#include "recovery/rewind.h"

#include <algorithm>
#include <map>

#include "policy/ordering_key.h"
#include "recovery/references.h"

namespace weir::recovery {
namespace {

constexpr std::size_t kSeqsPerRead = 500;

}  // namespace

async::Task<Result<>> resolve_rewind(ports::Store& store, const Live& live,
                                     ResolvedSelection& into) {
  const Selection& asked = into.asked;
  const Error wrong{Code::invalid_argument, "a rewind runs delivered events of one flow again",
                    "give the flow, and a time, key, type or pattern; no group, class, status, "
                    "mark or ids"};
  const bool quarantine = !asked.group.empty() || asked.failure || asked.status != 0 ||
                          asked.mark != Mark::any || !asked.ids.empty() ||
                          !asked.dependency.empty();
  if (asked.flow.empty() || quarantine) co_return wrong;
  auto flow = find_flow(live, asked.flow);
  if (!flow.ok()) co_return flow.error();
  if (flow->spec == nullptr) {
    co_return Error{Code::invalid_argument,
                    fmt::format("flow '{}' has left the configuration", asked.flow), ""};
  }
  const StreamId stream = flow->record.stream;
  into.asked.flow = flow->record.name;
  into.key_rule = policy::key_rule(*flow->spec);
  into.stream = stream;
  into.from = 1;
  into.to = UINT64_MAX;
  auto streams = co_await store.flows().streams();
  if (!streams.ok()) co_return streams.error();
  const auto record = std::ranges::find(*streams, stream, &StreamRecord::id);
  if (record == streams->end()) co_return wrong;
  into.from = record->first_seq;
  into.to = record->next_seq;
  if (asked.since) {
    auto from = co_await store.events().seek(stream, *asked.since);
    if (!from.ok()) co_return from.error();
    into.from = std::max(into.from, *from);
  }
  if (asked.until) {
    auto to = co_await store.events().seek(stream, *asked.until);
    if (!to.ok()) co_return to.error();
    into.to = std::min(into.to, *to);
  }
  co_return Result<>{};
}

async::Task<Result<std::vector<Delivery>>> rows_of_events(ports::Store& store,
                                                          std::vector<DeliveryRef> refs,
                                                          const policy::KeyRule& keys) {
  std::vector<Delivery> rows;
  if (refs.empty()) co_return rows;
  const FlowId flow = refs.front().flow;
  auto events = co_await store.events().fetch(std::move(refs));
  if (!events.ok()) co_return events.error();
  for (const StoredEvent& stored : *events) {
    const auto event = decode_event(stored.record);
    if (!event.ok()) continue;
    Delivery row;
    row.ref = {flow, stored.position};
    row.state = DeliveryState::done;
    row.event_id = event->id;
    row.event_type = event->type;
    row.key = policy::ordering_key(*event, keys);
    rows.push_back(std::move(row));
  }
  co_return rows;
}

async::Task<Result<std::vector<Delivery>>> delivered_page(ports::Store& store,
                                                          const ResolvedSelection& selection,
                                                          DeliveryRef& last, bool& end) {
  const FlowId flow = *selection.query.flow;
  const bool begun = last.flow == flow;
  const std::uint64_t first = std::max(selection.from, begun ? last.position.seq + 1 : 0);
  const std::uint64_t until = std::min(first + kSeqsPerRead, selection.to);
  end = until >= selection.to;
  if (first >= until) co_return std::vector<Delivery>{};
  const auto at = [&](std::uint64_t seq) {
    return DeliveryRef{flow, Position{.stream = selection.stream, .seq = seq}};
  };
  last = at(until - 1);
  std::vector<DeliveryRef> refs;
  for (std::uint64_t seq = first; seq < until; ++seq) refs.push_back(at(seq));
  auto rows = co_await store.deliveries().get_many(refs);
  if (!rows.ok()) co_return rows.error();
  auto settled = co_await store.deliveries().settlements(flow, at(first).position, until - first);
  if (!settled.ok()) co_return settled.error();
  std::map<DeliveryRef, Delivery> found;
  std::vector<DeliveryRef> without_row;
  for (Delivery& row : *rows) found.emplace(row.ref, std::move(row));
  for (const auto& [settlement, when] : *settled) {
    const bool delivered = settlement.status != 0;  // else it was filtered
    if (delivered && !found.contains(at(settlement.seq))) without_row.push_back(at(settlement.seq));
  }
  auto made = co_await rows_of_events(store, std::move(without_row), selection.key_rule);
  if (!made.ok()) co_return made.error();
  for (Delivery& row : *made) found.emplace(row.ref, std::move(row));
  std::vector<Delivery> page;
  for (auto& [ref, row] : found) {
    if (row.state == DeliveryState::done) page.push_back(std::move(row));
  }
  co_return page;
}

bool goes_in_turn(const Live& live, const Selection& selection) {
  if (!selection.delivered) return false;
  const auto flow = find_flow(live, selection.flow);
  return flow.ok() && flow->spec != nullptr && !flow->spec->ordering_key.empty();
}

}  // namespace weir::recovery
