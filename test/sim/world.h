// SPDX-License-Identifier: Apache-2.0
// The outside of a run: the service that is every handler, the dependencies that effects reach.
// It checks at every call what must hold of calls at any time.
#pragma once

#include <string>

#include "journal.h"
#include "outside.h"
#include "plan.h"
#include "process.h"
#include "retry_bound.h"

namespace weir::engine_sim {

class World final : public engine_test::Outside {
 public:
  World(const Plan& plan, Journal& journal) : plan_(plan), journal_(journal) {}

  // Who calls from now on. What the last one had begun is over.
  void serve(engine_test::Process& process, const Config& config);
  // A reload is under way: the limits of both configurations hold, the wider one of each.
  void expect(const Config& next);
  void take(const Config& config);

  async::Task<Outcome> call(std::string flow, const ports::Invocation& call) override;
  async::Task<Outcome> effect(effects::Send send) override;
  async::Task<Result<policy::ProbeAnswer>> probe(Duration patience) override;
  void on_decision(const ports::DecisionRecord& record) override;

 private:
  enum class Answer : std::uint8_t {
    ok,
    failing,
    throttled,
    poison,
    conflict,
    ended,
    refused,
    discard,
    slow,
    hang
  };
  bool is_on(Fault fault) const { return has(plan_.faults, fault) && !journal_.healed; }
  Answer draw_answer(const std::string& flow, std::uint32_t event, Rng& rng) const;
  std::size_t note_begin(const std::string& flow, const ports::Invocation& call);
  void check_call(const Call& call, const ports::Invocation& invocation);
  void check_identity(const Call& call, const ports::Invocation& invocation);
  void check_beside(const Call& call);
  void check_again(const Call& call);
  void check_orders(const Call& call);
  void check_rate(const Call& call);
  void check_budget();
  Call::Work work_of(const Call& call);
  void take_back(const Release& release);
  void note_end(std::size_t index, const Outcome& outcome);
  async::Task<Outcome> answered(Answer answer, Duration takes, MonoTime deadline);
  async::Task<int> pay(std::uint32_t event, std::string token, Rng rng);
  async::Task<> pay_late(std::uint32_t event, std::string token, MonoTime at);
  async::Task<> pay_again(std::uint32_t event, std::string token);
  void note_reply(const effects::EffectReply& reply, const effects::EffectRequest& request);

  const Plan& plan_;
  Journal& journal_;
  std::uint32_t cap_ = 0;  // of calls at once
  std::uint32_t former_cap_ = 0;
  MonoTime former_until_{};
  RateLimitSpec rate_;
  RetryBound retries_;
  MonoTime probing_until_{};
  engine_test::Process* process_ = nullptr;
  double tokens_ = 0;  // of the rate limit, as a checker counts them
  MonoTime tokens_at_{};
};

// "e12", "r3"
std::uint32_t number_of(std::string_view name);
std::string data_of(std::uint32_t event);
effects::EffectRequest payment_of(std::uint32_t event, const std::string& token);

}  // namespace weir::engine_sim
