// SPDX-License-Identifier: Apache-2.0
// Gathers what was decided and writes it in group commits: one batch on its way, everything decided
// meanwhile is the next. What must happen only once it is durable (freeing a key, telling a sink)
// happens after its commit. Settlements that nothing waits for linger a little, for a larger group:
// a crash meanwhile means that those events are delivered again. What is replayed lingers, too:
// live traffic should not notice it.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "async/clock.h"
#include "async/signal.h"
#include "async/task.h"
#include "async/task_group.h"
#include "ports/store.h"

namespace weir::delivery {

class Flow;

class Settler {
 public:
  // Told whether the commit is durable; false only when the store failed, which ends the process.
  using After = std::move_only_function<void(bool durable)>;

  // `on_failed` is told once when the store can no longer be written. `alarms` outlives this.
  Settler(async::Executor executor, ports::Writer& writer, async::Clock& clock,
          async::TaskGroup& alarms, std::function<void(const Error&)> on_failed);

  // A first attempt that ended well, or an event that the filter did not match: settlement and
  // cursor only.
  void settle(Flow& flow, Settlement settlement, After after);
  // next: at once, but in a commit of others if there is one soon. soon: lingers before that.
  enum class Urgency : std::uint8_t { now, next, soon };
  // Any other writes, in one transaction with the cursor and holds of the flow as they are now.
  void write(Flow& flow, std::vector<ports::Mutation> mutations, After after,
             Urgency urgency = Urgency::now);
  // The cursor or a hold of the flow changed; carried by the next commit.
  void touch(Flow& flow);

  // Commits until stop() and nothing is left. Spawned once by the engine.
  async::Task<> run();
  void stop();
  // After run() has ended: what was asked for since.
  async::Task<> commit_rest();
  // Decisions not yet durable: dispatch pauses above kBacklogMax.
  std::size_t backlog() const { return pending_.afters.size() + committing_; }
  bool failed() const { return failed_; }
  // Something of this flow is not durable yet.
  bool is_busy_with(Flow& flow) const;

  static constexpr std::size_t kBacklogMax = 16'384;
  static constexpr Duration kLinger = std::chrono::milliseconds{5};
  static constexpr std::size_t kLingeringMax = 1024;  // settlements; then they go at once
  static constexpr std::size_t kPatientMax = 32;      // more such writes are a group of their own
  // What is not urgent waits so long for a commit of others, or until something urgent comes.
  static constexpr Duration kPatience = std::chrono::milliseconds{2};

 private:
  struct FlowPart {
    std::vector<Settlement> settlements;
  };
  struct Pending {
    std::unordered_map<Flow*, FlowPart> flows;
    std::vector<ports::Mutation> mutations;
    std::vector<After> afters;
    std::vector<std::pair<Flow*, Cursor>> cursors;  // written by this commit; without `settled`
    bool empty() const { return flows.empty() && mutations.empty() && afters.empty(); }
  };
  ports::WriteBatch make_batch(Pending& pending);
  async::Task<> commit(Pending pending);
  void add_after(After after, Urgency urgency);
  void linger();
  async::Task<> commit_at(MonoTime at);
  void ask_commit();
  void hurry();
  async::Task<> nudge();
  void fail(const Error& error, Pending& lost);

  ports::Writer& writer_;
  async::Clock& clock_;
  async::TaskGroup& alarms_;
  std::function<void(const Error&)> on_failed_;
  async::Signal wake_;
  Pending pending_;
  std::size_t committing_ = 0;
  std::vector<Flow*> committing_flows_;
  std::size_t lingering_ = 0;
  std::size_t patient_ = 0;  // writes in `pending_` that are not urgent
  bool urgent_ = false;      // something in `pending_` is
  bool waits_ = false;       // the batch on its way waits for others
  bool alarm_set_ = false;
  bool commit_asked_ = false;
  bool stopping_ = false;
  bool failed_ = false;
};

}  // namespace weir::delivery
