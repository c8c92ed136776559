// SPDX-License-Identifier: Apache-2.0
#include "recovery/selection.h"

#include <algorithm>
#include <unordered_map>

#include "recovery/references.h"
#include "recovery/rewind.h"
#include "recovery/shown.h"

namespace weir::recovery {
namespace {

constexpr std::size_t kIdsPerRead = 500;
constexpr std::size_t kIdsMax = 10'000;

// A position can be written down for events that never were. A row outlives its event.
async::Task<Result<bool>> exists(ports::Store& store, Position position,
                                 std::vector<DeliveryRef> refs) {
  auto rows = co_await store.deliveries().get_many(refs);
  if (!rows.ok()) co_return rows.error();
  if (!rows->empty()) co_return true;
  auto events = co_await store.events().fetch({DeliveryRef{FlowId{}, position}});
  if (!events.ok()) co_return events.error();
  co_return !events->empty();
}

async::Task<Result<>> resolve_ids(ports::Store& store, const Live& live,
                                  const std::vector<std::string>& ids, ResolvedSelection& into) {
  if (ids.size() > kIdsMax) {
    co_return Error{Code::invalid_argument, fmt::format("{} ids are too many", ids.size()),
                    fmt::format("at most {}; select by group, flow or pattern instead", kIdsMax)};
  }
  for (const std::string& id : ids) {
    const DeliveryName name = split_name(live, id);
    auto position = co_await find_event(store, live, name.event);
    if (!position.ok()) co_return position.error();
    std::vector<DeliveryRef> refs;
    for (const LiveFlow& flow : live.flows()) {
      if (flow.record.stream != position->stream) continue;
      if (!name.flow || *name.flow == flow.record.id) refs.push_back({flow.record.id, *position});
    }
    auto there = co_await exists(store, *position, refs);
    if (!there.ok()) co_return there.error();
    if (!*there) co_return unknown_event(live, id);
    into.ids.insert(into.ids.end(), refs.begin(), refs.end());
  }
  std::ranges::sort(into.ids);
  into.ids.erase(std::ranges::unique(into.ids).begin(), into.ids.end());
  co_return Result<>{};
}

bool fits(const ports::DeliveryQuery& query, const Delivery& row) {
  return row.state == DeliveryState::quarantined && (!query.flow || row.ref.flow == *query.flow) &&
         (!query.group || row.group == *query.group) &&
         (!query.failure || row.failure == *query.failure) &&
         (!query.since || row.changed_at >= *query.since) &&
         (!query.until || row.changed_at < *query.until);
}

async::Task<Result<std::vector<Delivery>>> keep_matching(ports::Store& store,
                                                         const policy::Filter& where,
                                                         std::vector<Delivery> rows) {
  std::vector<Delivery> kept;
  std::vector<DeliveryRef> refs;
  for (const Delivery& row : rows) refs.push_back(row.ref);
  auto events = co_await store.events().fetch(refs);
  if (!events.ok()) co_return events.error();
  std::unordered_map<Position, const StoredEvent*> by_position;
  for (const StoredEvent& event : *events) by_position.emplace(event.position, &event);
  for (Delivery& row : rows) {
    const auto found = by_position.find(row.ref.position);
    if (found == by_position.end()) continue;
    const auto event = decode_event(found->second->record);
    if (event.ok() && where.matches(*event)) kept.push_back(std::move(row));
  }
  co_return kept;
}

int last_status(const Delivery& row) {
  for (auto line = row.history.rbegin(); line != row.history.rend(); ++line) {
    if (line->number > 0) return line->status;
  }
  return 0;
}

bool has_mark(Mark mark, const Delivery& row) {
  switch (mark) {
    case Mark::any: return true;
    case Mark::archived: return row.archived;
    case Mark::exhausted: return row.exhausted;
    case Mark::inDoubt: return row.in_doubt;
  }
  return true;
}

// What is asked of a row beyond the query.
bool is_asked_for(const ResolvedSelection& selection, const Delivery& row) {
  const Selection& asked = selection.asked;
  const auto listed = [&row](const std::vector<GroupId>& groups) {
    return std::ranges::binary_search(groups, row.group);
  };
  return (selection.groups.size() < 2 || listed(selection.groups)) &&
         (asked.dependency.empty() || asked.delivered || listed(selection.of_dependency)) &&
         (asked.key.empty() || row.key == asked.key) &&
         (asked.type.empty() || row.event_type == asked.type) &&
         (asked.status == 0 || last_status(row) == static_cast<int>(asked.status)) &&
         has_mark(asked.mark, row);
}

async::Task<Result<std::vector<Delivery>>> page_of_ids(ports::Store& store,
                                                       const ResolvedSelection& selection,
                                                       DeliveryRef& last, bool& end) {
  std::vector<Delivery> rows;
  auto from = std::ranges::upper_bound(selection.ids, last);
  const auto until = from + std::min<std::ptrdiff_t>(kIdsPerRead, selection.ids.end() - from);
  end = until == selection.ids.end();
  if (from == until) co_return rows;
  last = *(until - 1);
  auto found = co_await store.deliveries().get_many(std::vector<DeliveryRef>(from, until));
  if (!found.ok()) co_return found.error();
  for (Delivery& row : *found) {
    if (fits(selection.query, row)) rows.push_back(std::move(row));
  }
  co_return rows;
}

async::Task<Result<std::vector<Delivery>>> page_of_query(ports::Store& store,
                                                         const ResolvedSelection& selection,
                                                         DeliveryRef& last, bool& end) {
  ports::DeliveryQuery query = selection.query;
  query.after = last;
  query.limit = kIdsPerRead;
  auto found = co_await store.deliveries().list(query);
  if (!found.ok()) co_return found.error();
  end = found->size() < kIdsPerRead;
  if (!found->empty()) last = found->back().ref;
  co_return std::move(*found);
}

// One page of candidates; `last` is where the next page starts, and `end` says that there is none.
async::Task<Result<std::vector<Delivery>>> read_page(ports::Store& store,
                                                     const ResolvedSelection& selection,
                                                     DeliveryRef& last, bool& end) {
  Result<std::vector<Delivery>> rows = std::vector<Delivery>{};
  if (selection.asked.delivered) {
    rows = co_await delivered_page(store, selection, last, end);
  } else if (selection.by_ids) {
    rows = co_await page_of_ids(store, selection, last, end);
  } else {
    rows = co_await page_of_query(store, selection, last, end);
  }
  if (!rows.ok()) co_return rows.error();
  std::erase_if(*rows, [&](const Delivery& row) { return !is_asked_for(selection, row); });
  if (!selection.where || rows->empty()) co_return std::move(*rows);
  co_return co_await keep_matching(store, *selection.where, std::move(*rows));
}

// The group with everything that was merged into it.
async::Task<Result<>> resolve_group(ports::Store& store, const std::string& prefix,
                                    ResolvedSelection& into) {
  auto group = co_await find_group(store, prefix);
  if (!group.ok()) co_return group.error();
  into.title = fmt::format("group {}", group->fingerprint.hash);
  into.groups.push_back(group->id);
  auto walked = co_await for_each_group(store, [&](const Group& other) {
    if (other.notes.merged_into == group->id) into.groups.push_back(other.id);
    return true;
  });
  if (!walked.ok()) co_return walked;
  std::ranges::sort(into.groups);
  if (into.groups.size() == 1) into.query.group = group->id;
  co_return Result<>{};
}

async::Task<Result<>> resolve_dependency(ports::Store& store, const std::string& name,
                                         ResolvedSelection& into) {
  auto walked = co_await for_each_group(store, [&](const Group& group) {
    if (group.dependency == name) into.of_dependency.push_back(group.id);
    return true;
  });
  if (!walked.ok()) co_return walked;
  std::ranges::sort(into.of_dependency);
  into.title += fmt::format("{}dependency {}", into.title.empty() ? "" : ", ", name);
  co_return Result<>{};
}

}  // namespace

async::Task<Result<ResolvedSelection>> resolve_selection(ports::Store& store, const Live& live,
                                                         Selection selection) {
  if (selection.empty()) {
    co_return Error{
        Code::empty_selection, "nothing is selected",
        "give at least one of --group, --flow, --dependency, --class, --status, --key, --type, "
        "--mark, --since, --until, --where or ids"};
  }
  auto key = key_as_stored(live, selection);
  if (!key.ok()) co_return key.error();
  selection.key = std::move(*key);
  ResolvedSelection resolved;
  resolved.query.state = DeliveryState::quarantined;
  resolved.query.failure = selection.failure;
  resolved.query.since = selection.since;
  resolved.query.until = selection.until;
  resolved.query.key = selection.key;
  resolved.asked = selection;
  if (!selection.group.empty()) {
    auto group = co_await resolve_group(store, selection.group, resolved);
    if (!group.ok()) co_return group.error();
  }
  if (!selection.dependency.empty()) {
    auto dependency = co_await resolve_dependency(store, selection.dependency, resolved);
    if (!dependency.ok()) co_return dependency.error();
  }
  if (!selection.flow.empty()) {
    auto flow = find_flow(live, selection.flow);
    if (!flow.ok()) co_return flow.error();
    resolved.query.flow = flow->record.id;
    resolved.title += fmt::format("{}flow {}", resolved.title.empty() ? "" : ", ", selection.flow);
  }
  if (!selection.where.empty()) {
    auto filter = policy::Filter::compile(selection.where);
    if (!filter.ok()) co_return filter.error();
    resolved.where = std::move(*filter);
    resolved.title += fmt::format("{}pattern {}", resolved.title.empty() ? "" : ", ",
                                  live.redaction(std::nullopt)->redact_pattern(selection.where));
  }
  if (!selection.ids.empty()) {
    resolved.by_ids = true;
    auto ids = co_await resolve_ids(store, live, selection.ids, resolved);
    if (!ids.ok()) co_return ids.error();
    resolved.title += fmt::format("{}{} ids", resolved.title.empty() ? "" : ", ",
                                  selection.ids.size());
  }
  if (selection.delivered) {
    auto rewind = co_await resolve_rewind(store, live, resolved);
    if (!rewind.ok()) co_return rewind.error();
    resolved.title += ", delivered";
  }
  if (resolved.title.empty()) resolved.title = "class, time or attributes";
  co_return resolved;
}

async::Task<Result<>> for_each_selected(ports::Store& store, const ResolvedSelection& selection,
                                        std::function<bool(const Delivery&)> visit) {
  DeliveryRef last{};
  for (bool end = false; !end;) {
    auto page = co_await read_page(store, selection, last, end);
    if (!page.ok()) co_return page.error();
    for (const Delivery& row : *page) {
      if (!visit(row)) co_return Result<>{};
    }
  }
  co_return Result<>{};
}

async::Task<Result<std::vector<Delivery>>> selected_page(ports::Store& store,
                                                         const ResolvedSelection& selection,
                                                         DeliveryRef after, std::size_t limit) {
  std::vector<Delivery> rows;
  for (bool end = false; !end && rows.size() < limit;) {
    auto page = co_await read_page(store, selection, after, end);
    if (!page.ok()) co_return page.error();
    for (Delivery& row : *page) {
      if (rows.size() < limit) rows.push_back(std::move(row));
    }
  }
  co_return rows;
}

}  // namespace weir::recovery
