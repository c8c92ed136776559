// SPDX-License-Identifier: Apache-2.0
// The delivery side as a whole: flows, their dependencies, and what happens at start, reload and
// drain. One I/O thread. Meets recovery only in the store and in release() / settled_elsewhere().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "async/clock.h"
#include "async/task_group.h"
#include "delivery/delivery_parts.h"
#include "delivery/dispatch.h"
#include "delivery/flow.h"
#include "delivery/settler.h"
#include "model/breaker_control.h"
#include "model/config_model.h"
#include "ports/store.h"

namespace weir::delivery {

using MakeHandler =
    std::function<Result<std::shared_ptr<ports::Handler>>(const DependencySpec&, const FlowSpec&)>;

struct EngineOptions {
  async::Executor executor;
  async::Clock& clock;
  ports::Store& store;
  std::uint64_t seed = 1;
  std::string token_secret;           // random: what Weir-Tokens are made of
  std::string redaction_secret = {};  // of the store: tags stay the same over restarts
  MakeHandler make_handler;
  std::vector<ports::DecisionSink*> sinks;
  std::function<void(const Error&)> on_error = [](const Error&) {};  // tried again later
  std::function<void(const Error&)> on_store_failed = [](const Error&) {
  };  // stop acknowledging, leave the process
};

// Of one that has left the configuration, for good.
struct FlowRemoval {
  std::string name;
  FlowId flow;  // as removable() said: it may have come back, and gone, as another one
  std::string reason;
  std::string actor;
  std::string left = {};        // for the audit: what goes with it
  ports::Consent consent = {};  // goes into the same commit
};

struct FlowView {
  const FlowSpec* spec;
  const FlowRecord* record;
  std::uint64_t floor = 0;
  std::uint64_t next_seq = 0;  // of its stream
  std::uint64_t backlog = 0;   // events at or above the floor not settled otherwise
  std::size_t retries = 0;
  std::size_t replays = 0;
  std::uint64_t held = 0;
  WallTime full_since{};        // nothing new is begun since then: retry.maxWaiting; or zero
  WallTime oldest_ready{};      // recorded time of the oldest event read and not sent; or zero
  WallTime oldest_unsettled{};  // of the oldest one that look_at_ages() saw; or zero
};

class Engine {
 public:
  explicit Engine(EngineOptions options);
  ~Engine();

  // Before start(): EngineOptions::redaction_secret, if it was not known then.
  void set_redaction_secret(std::string secret) { options_.redaction_secret = std::move(secret); }
  // Registers streams and flows, recovers what the last process left, and starts to deliver. Once.
  async::Task<Result<>> start(Config config);
  // A reload: atomic for everything that can be checked (handlers are made first); running calls
  // keep their handler.
  async::Task<Result<>> apply(Config config);

  // Events of one stream that were appended and are durable, in order.
  void appended(const std::vector<StoredEvent>& events);
  // Rows in state ready that a replay released, durably.
  void release(const std::vector<DeliveryRef>& refs, ReplayId replay);
  // Rows that somebody else settled (resolved, discarded), durably: their keys go on.
  void settled_elsewhere(DeliveryRef ref, const std::string& key);

  async::Task<Result<>> pause(std::string flow, std::string reason, std::string actor);
  async::Task<Result<>> resume(std::string flow, std::string reason, std::string actor);
  // Opens or closes the breaker of a dependency by hand, or gives it back to its calls; once it
  // returns, it holds over restarts and reloads until control.until.
  async::Task<Result<>> control_breaker(std::string dependency, BreakerControl control);
  // Forgets a flow that is no longer in the configuration: cursor, holds, rows and quarantine.
  // Errors: those of removable(); conflict (another flow by now, or the consent is stale).
  async::Task<Result<>> remove(FlowRemoval removal);
  // Which flow that would be. Errors: unknown_flow, wrong_state (it is configured, or its calls
  // still run).
  Result<FlowId> removable(const std::string& flow) const;

  // Destroys the keys of a stream that no flow reads, and all that is left of its events and rows;
  // gives the number of keys. Refused for a store that is not encrypted.
  async::Task<Result<std::uint32_t>> shred(std::string stream, std::string reason,
                                           std::string actor);

  // Retention of every stream, one bounded step; true if there is more to do at once.
  async::Task<bool> trim_step();

  // Refreshes FlowView::oldest_unsettled: a few indexed reads per flow. `counts` says which flows
  // have rows to look at.
  async::Task<> look_at_ages(std::vector<ports::FlowCounts> counts);

  // Starts nothing new and lets running attempts end until the deadline. Calls still running then
  // must be cancelled (their deliveries go back to ready), and the clock's sleeps too, before
  // join().
  async::Task<> drain(MonoTime deadline);
  // Waits for what is left and writes what was decided.
  async::Task<> join();

  std::vector<FlowView> flow_views() const;
  std::vector<Dispatcher*> dispatchers() const;
  const StreamRecord* find_stream(std::string_view name) const;
  bool has_stream(std::string_view name) const;  // in the configuration, not only in the store
  const std::vector<StreamRecord>& streams() const { return streams_; }
  std::string stream_name(StreamId id) const;
  Flow* find_flow(std::string_view name) const;
  Flow* find_flow(FlowId id) const;
  // One that is out of the configuration and may still come back as it is, too.
  Flow* find_open_flow(FlowId id) const;
  Dispatcher* find_dispatcher(std::string_view name) const;  // of a dependency in the configuration
  // One that has left the configuration, too: calls may still be under way.
  Dispatcher* find_any_dispatcher(std::string_view name) const;
  // Flows in the store that the configuration no longer has.
  const std::vector<FlowRecord>& removed_flows() const { return removed_; }
  const Config& config() const { return config_; }
  // Of the flows that have effects.
  policy::RunningAttempts& running() { return running_; }
  const policy::Redactions& redactions() const { return redactions_; }
  std::size_t in_flight() const { return tasks_.size(); }

 private:
  struct Oldest {
    std::uint64_t seq = 0;  // 0 = none
    WallTime recorded{};
    bool owned = false;  // by a row or a hold: the cursor says nothing about it
  };
  async::Task<Result<Oldest>> oldest_of(FlowId id, bool has_rows);
  WallTime oldest_unsettled(const Flow& flow) const;
  std::uint64_t stream_next_seq(StreamId id) const;
  async::Task<Result<>> register_streams();
  async::Task<Result<>> take_over(Config config);
  async::Task<Result<>> check_flows(const Config& config);
  async::Task<Result<>> register_flows();
  async::Task<Result<FlowRecord>> new_flow(const FlowSpec& spec, const StreamRecord& stream,
                                           const std::vector<FlowRecord>& known);
  void close_retired();
  async::Task<> forget_closed();
  void revive(FlowId id, const std::string& name);
  async::Task<Result<>> retire_others(std::vector<FlowRecord>& known,
                                      const std::set<std::uint32_t>& wanted);
  async::Task<Result<FlowRecord>> register_flow(const FlowSpec& spec,
                                                std::vector<FlowRecord>& known);
  async::Task<Result<std::uint64_t>> start_seq(const FlowSpec& spec, const StreamRecord& stream);
  Result<> add_flow(FlowSpec spec, FlowRecord record);
  Result<> apply_dependencies();
  async::Task<Result<>> restore_breakers();
  void set_rules();
  async::Task<Result<>> set_status(std::string name, FlowStatus status, std::string action,
                                   std::string reason, std::string actor);
  async::Task<Result<>> may_shred(const std::string& stream);
  async::Task<Result<>> trim_shredded(StreamId id, std::uint64_t before);
  async::Task<bool> trim_stream(StreamRecord& stream, WallTime before);
  async::Task<Result<std::vector<DeliveryRef>>> held_events(StreamId stream, std::uint64_t first,
                                                            std::uint64_t until);
  async::Task<Result<std::uint64_t>> needed_from(StreamId stream, std::uint64_t end);
  StreamRecord* find_stream_by_id(StreamId id);

  EngineOptions options_;
  Rng rng_;
  async::TaskGroup tasks_;
  async::TaskGroup alarms_;
  async::TaskGroup settling_;
  Settler settler_;
  policy::ClassifyRules rules_;
  policy::RunningAttempts running_;
  policy::Redactions redactions_;
  DeliveryParts parts_;
  Config config_;
  std::vector<StreamRecord> streams_;
  std::vector<FlowRecord> removed_;
  std::uint64_t reloads_ = 0;
  bool shredding_ = false;  // meanwhile retention stands still
  bool applying_ = false;   // meanwhile flows neither end for good nor lose what they hold
  std::map<std::uint32_t, std::uint64_t> audited_trims_;  // by stream: trims told of, up to here
  std::map<FlowId, Oldest> oldest_;
  std::map<std::string, std::unique_ptr<Dispatcher>, std::less<>> dispatchers_;
  std::map<std::string, std::unique_ptr<Flow>, std::less<>> flows_;
  std::vector<std::unique_ptr<Flow>> retired_;  // out of the configuration; calls may still run
};

}  // namespace weir::delivery
