// SPDX-License-Identifier: Apache-2.0
// What stands between the events and one dependency: the deciders of policy, asked in the order and
// at the moments at which delivery/dispatch.h asks them. Nothing is stored, keys do not hold each
// other back, and a commit takes no time.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "model/delivery.h"
#include "policy/admission_order.h"
#include "policy/classify.h"
#include "policy/dead_letter_brake.h"
#include "policy/fair_turns.h"
#include "policy/guardrails.h"
#include "sim/calls.h"
#include "sim/scenario.h"
#include "sim/server.h"
#include "sim/tally.h"

namespace weir::sim {

class Dispatcher {
 public:
  // What it works with; all of it outlives it.
  struct Parts {
    Stage& stage;
    Calls& calls;
    Server& server;
    Tally& tally;
    const policy::ClassifyRules& rules;
    const DependencyPlan& plan;
  };
  // `flows` call this dependency; `index` is what its Happenings name.
  Dispatcher(Parts parts, const std::vector<const FlowPlan*>& flows, std::uint32_t index);

  // `flow` counts among those it was made with; `number` is what the flow's Happenings name.
  void arrived(std::uint32_t flow, std::uint32_t event, std::uint32_t client);
  // The call is closed already. status 0 = no answer before its deadline.
  void ended(const Call& call, std::uint16_t status);
  void alarm();

  std::size_t waiting() const;
  policy::Guardrails& guardrails() { return guardrails_; }
  // Share of the retry budget that is left, of what it held at its best.
  double budget_left();

 private:
  struct Member {
    const FlowPlan* plan;
    std::deque<Job> ready;
    std::vector<Job> retries;                   // a heap: what is due first is in front
    WallTime first_deadline = WallTime::max();  // of the retries, or earlier
    policy::DeadLetterBrake brake;
    policy::FairTurns::Share share{};
    bool paused = false;
    bool listed = false;  // in with_work_
  };
  using Blocked = std::array<bool, policy::kWorkCount>;

  void pump();
  void list(Member& member);
  void drop_idle();
  void bound_concurrency();
  policy::AdmissionOrder::Ready ready_work(const Blocked& blocked) const;
  bool has(const Member& member, policy::Work work, const Blocked& blocked) const;
  Member* next_member(policy::Work work, const Blocked& blocked);
  bool admit_one(Blocked& blocked);
  bool refused(policy::Work work, Member& member, const Refusal& refusal, Blocked& blocked);
  Job take(policy::Work work, Member& member);
  void call(Member& member, Job job, const policy::Permit& permit);
  void conclude(Member& member, Job job, const Classification& failure);
  void retry_at(Member& member, Job job, WallTime at);
  void expire_overdue();
  void set_alarm();
  void brake(Member& member, const Decision& decision);
  void pause(Member& member, std::string why);
  void end(Member& member, const Job& job, End how);

  Parts parts_;
  const std::uint32_t index_;
  policy::Guardrails guardrails_;
  policy::AdmissionOrder order_;
  policy::FairTurns turns_;
  std::vector<Member> members_;
  // Those that may have something waiting, in their order: most of many flows have not.
  std::vector<Member*> with_work_;
  Delivery delivery_;        // what decide() is told of a job
  bool is_refused_ = false;  // at the last pump
  MonoTime ask_again_ = MonoTime::max();
  MonoTime alarm_at_ = MonoTime::max();
  double best_balance_ = 1;
};

}  // namespace weir::sim
