// SPDX-License-Identifier: Apache-2.0
// From what people type to what the store knows: stream#seq, CloudEvents ids, group hashes and
// their prefixes, replay ids.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "model/group.h"
#include "ports/store.h"
#include "recovery/live.h"

namespace weir::recovery {

// "github#42", "orders/github#42" or a CloudEvents id. Errors: unknown_stream (with the nearest
// name), event_unknown (says how far it looked), ambiguous_reference (lists the places).
async::Task<Result<Position>> find_event(ports::Store& store, const Live& live,
                                         std::string reference);
// What to say about a reference that nothing has. One that reads stream#seq names a stream first.
Error unknown_event(const Live& live, std::string_view reference);
// "orders/github#42": one delivery. Without a known flow in front, all deliveries of the event.
struct DeliveryName {
  std::optional<FlowId> flow;
  std::string event;
};
DeliveryName split_name(const Live& live, std::string_view name);
std::string to_reference(const Live& live, Position position);  // "github#42"

// A group, without its keys, by hash or by unique prefix. Errors: unknown_group,
// ambiguous_reference.
async::Task<Result<Group>> find_group(ports::Store& store, std::string prefix);
// Every group, without its keys, the newest first, page by page, until `visit` returns false.
async::Task<Result<>> for_each_group(ports::Store& store, std::function<bool(Group&)> visit);

// "r12" or "12".
std::optional<ReplayId> parse_replay_id(std::string_view text);
std::string to_text(ReplayId id);

Result<LiveFlow> find_flow(const Live& live, std::string_view name);

}  // namespace weir::recovery
