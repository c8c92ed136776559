// SPDX-License-Identifier: Apache-2.0
// What only the running delivery side knows, asked through functions: recovery and delivery never
// include each other. All are called on the I/O thread and answer at once.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "model/config_model.h"
#include "model/delivery.h"
#include "model/flow_state.h"
#include "policy/plan_check.h"
#include "policy/redaction.h"

namespace weir::recovery {

struct LiveFlow {
  FlowRecord record;
  std::string stream;              // its name
  const FlowSpec* spec = nullptr;  // nullptr: the flow is no longer in the configuration
  std::uint64_t floor = 0;         // below it everything is settled or has a row
};

struct LiveDelivery {
  bool settled_or_owned = false;  // by settlement, row or hold; false: not dispatched or under way
  bool sent = false;              // below the dispatch mark: it may be under way now
  std::optional<Hold> hold;       // the hold of its key, if there is one
};

struct LiveDependency {
  bool breaker_open = false;
  bool has_breaker = true;
  Duration closed_for{};  // how long its breaker has been; since the start if it never opened
  std::string breaker;    // "closed", "open until 14:02:11 (61 % of 120 calls failed)", "half-open"
  std::string refusal;    // why dispatch waits now; empty = it does not
  double rate_limit = 0;  // per second, 0 = none
  double capacity = 0;
  double request_price = 0;
  IdempotencySpec idempotency;   // what may be done about effects in doubt
  std::uint64_t live_calls = 0;  // since the start: first attempts and retries, no replays
};

struct Live {
  std::function<std::vector<LiveFlow>()> flows;
  std::function<std::optional<LiveFlow>(FlowId)> flow;  // nullopt: removed for good
  std::function<std::optional<LiveDelivery>(FlowId, Position, std::string_view key)> delivery;
  std::function<std::optional<LiveDependency>(std::string_view name)> dependency;
  std::function<const FailureModeSpec*(std::string_view name)> failure_mode;
  std::function<std::optional<Position>(std::string_view stream, std::uint64_t seq)>
      position;  // nullopt: no such stream
  std::function<std::string(StreamId)> stream_name;
  std::function<std::vector<std::string>()> stream_names;
  // What is hidden of the events of a stream; without one, what any rule hides.
  std::function<std::shared_ptr<const policy::Redaction>(std::optional<StreamId>)> redaction;
  // Rows became ready for this run, durably.
  std::function<void(const std::vector<DeliveryRef>&, ReplayId)> release;
  // Age of the oldest event of a flow that is ready and not sent; zero without one.
  std::function<Duration(FlowId)> live_lag;
  // GETs a URL of a plan, without following a redirect. An error: no whole answer in time and size.
  std::function<async::Task<Result<policy::ProbeAnswer>>(std::string url, Duration patience)> probe;
  // What needs somebody else's yes; without the function nothing does.
  std::function<const ApprovalsSpec&()> approvals;
  // Whether who came with this (see Approval::with) is still this subject and may still approve.
  std::function<bool(const std::string& subject, const std::string& with)> may_approve;
  // Somebody else settled this delivery, durably.
  std::function<void(DeliveryRef, const std::string& key)> settled_elsewhere;
};

}  // namespace weir::recovery
