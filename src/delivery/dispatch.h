// SPDX-License-Identifier: Apache-2.0
// Takes what is ready, one per ordering key, and asks the guardrails for admission. One per
// dependency, which it owns whole: whoever calls the dependency goes through here, replays too.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "delivery/attempt.h"
#include "delivery/delivery_parts.h"
#include "delivery/flow.h"
#include "delivery/owner_thread.h"
#include "delivery/row_loader.h"
#include "model/breaker_control.h"
#include "model/config_model.h"
#include "policy/admission_order.h"
#include "policy/fair_turns.h"
#include "policy/guardrails.h"

namespace weir::delivery {

class Dispatcher {
 public:
  Dispatcher(DependencySpec spec, DeliveryParts& parts);

  const DependencySpec& spec() const { return spec_; }
  // Guardrail state stays where the policy did not change.
  void update(DependencySpec spec);
  // What a person wants of the breaker; ignored once its time is over.
  void control(BreakerControl control);
  // nullptr: nobody said anything that still holds.
  const BreakerControl* control();
  void add(Flow* flow) { members_.push_back({flow}); }
  void remove(Flow* flow);
  // After a reload has added and removed them all. has_effects: some flow's handler calls it, too.
  void flows_changed(bool has_effects);

  // Asks for dispatching until nothing is ready or a guardrail refuses. It happens once for
  // everybody who asks, after what is ready now: the calls that many answers make room for leave in
  // bursts, which saves their receiver most of its wake-ups.
  void pump();
  static constexpr int kBurstMax = 16;  // little, so that the first need not wait for long
  void stop() { stopping_ = true; }
  std::function<void()> ready_signal() {
    return [this] { pump(); };
  }

  // Only on the thread that the dispatcher runs on.
  policy::Guardrails& guardrails() {
    owner_.check();
    return guardrails_;
  }
  // Why the last pump stopped, if a guardrail refused; for status and explain.
  const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  struct Admission {
    policy::Permit permit;
    MonoTime at;
  };
  struct Member {
    Flow* flow;
    policy::FairTurns::Share share{};
  };
  // What the guardrails have refused during this pump; the rest may still go.
  struct Blocked {
    std::array<bool, policy::kWorkCount> work{};
    std::vector<std::string> paths;  // whose own breaker is open
  };

  void bound_concurrency();
  async::Task<> pump_after_turn();
  void dispatch();
  policy::AdmissionOrder::Ready ready_work(WallTime now, const Blocked& blocked);
  bool admit_burst(Blocked& blocked);
  bool admit_one(Blocked& blocked);
  Member* next_member(policy::Work work, WallTime now, const Blocked& blocked);
  static bool flow_has(Flow& flow, policy::Work work, WallTime now, const Blocked& blocked);
  // Whether something else might be admitted.
  bool refused(policy::Work work, const Flow& flow, Refusal refusal, Blocked& blocked);
  void start(policy::Work work, Flow& flow, Admission admission);
  void note_full_flows(WallTime wall);
  async::Task<> look_for_expired();
  bool expire_overdue(WallTime wall);  // whether there was anything
  void set_alarm(WallTime wall);
  async::Task<> alarm(MonoTime at);

  // deliver.cc: the event's way from admission to its decision
  async::Task<> deliver_event(Flow& flow, Candidate candidate, Admission admission);
  async::Task<bool> load_held(Flow& flow, Candidate& candidate);
  async::Task<> deliver_row(Flow& flow, Due due, policy::Work work, Admission admission);
  struct LoadedRow {
    Delivery row;
    std::string record;  // of its event
  };
  async::Task<std::optional<LoadedRow>> load_row(Flow& flow, Due due, policy::Work work);
  async::Task<> attempt_row(Flow& flow, Delivery row, std::string record, Admission admission);
  async::Task<bool> make_in_flight(Flow& flow, Delivery row);
  void conclude(Flow& flow, Delivery row, const Event& event, const Attempted& attempted);
  void expire(Flow& flow, Delivery row, const Event& event);
  async::Task<> expire_event(Flow& flow, Candidate candidate);
  async::Task<> expire_row(Flow& flow, Due due);
  void finish(const Admission& admission, const Attempted& attempted);
  void release(const Admission& admission);

  DependencySpec spec_;
  DeliveryParts& parts_;
  OwnerThread owner_;
  policy::Guardrails guardrails_;
  policy::AdmissionOrder order_;
  std::optional<BreakerControl> control_;
  std::vector<Member> members_;
  policy::FairTurns turns_;
  async::Burst burst_;
  RowLoader rows_;
  std::optional<Refusal> refusal_;
  MonoTime ask_again_ = MonoTime::max();  // the earliest moment that a refusal of this pump named
  std::set<MonoTime> alarms_;             // of the sleepers that are to pump
  bool looking_ = false;                  // for deliveries that are never admitted
  bool pump_asked_ = false;
  bool stopping_ = false;
};

}  // namespace weir::delivery
