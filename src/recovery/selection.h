// SPDX-License-Identifier: Apache-2.0
// Walks the deliveries that a Selection names, page by page: for lists, bulk verbs,
// counts and plans.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "async/task.h"
#include "model/replay.h"
#include "policy/filter.h"
#include "policy/ordering_key.h"
#include "ports/store.h"
#include "recovery/live.h"

namespace weir::recovery {

// A Selection with its names looked up. Conditions the store can check are in `query`.
struct ResolvedSelection {
  ports::DeliveryQuery query;
  std::optional<policy::Filter> where;  // needs the event itself
  std::vector<DeliveryRef> ids;         // explicit members; empty = not by ids
  std::vector<GroupId> groups;  // sorted: the group that is asked for, with what was merged into it
  std::vector<GroupId> of_dependency;  // sorted: the groups of the dependency that is asked for
  Selection asked;
  StreamId stream;  // of a rewind, as all that follows
  policy::KeyRule key_rule;
  std::uint64_t from = 0;  // from <= seq < to
  std::uint64_t to = 0;
  bool by_ids = false;
  // Conditions that the store cannot freeze by itself.
  bool needs_walk() const {
    return where || by_ids || asked.delivered || groups.size() > 1 || !asked.dependency.empty() ||
           !asked.key.empty() || !asked.type.empty() || asked.status != 0 ||
           asked.mark != Mark::any;
  }
  std::string title;  // "group 9ad1…, flow sync-issues"
};

// Errors: empty_selection, unknown_flow, unknown_group, pattern_invalid, event_unknown,
// invalid_argument (a rewind of no single flow, or of what is in quarantine).
async::Task<Result<ResolvedSelection>> resolve_selection(ports::Store& store, const Live& live,
                                                         Selection selection);

// Calls `visit` with every selected delivery, in (flow, position) order, until it
// returns false.
async::Task<Result<>> for_each_selected(ports::Store& store, const ResolvedSelection& selection,
                                        std::function<bool(const Delivery&)> visit);

// The next page after `after`, at most `limit`, in the same order.
async::Task<Result<std::vector<Delivery>>> selected_page(ports::Store& store,
                                                         const ResolvedSelection& selection,
                                                         DeliveryRef after, std::size_t limit);

}  // namespace weir::recovery
