// SPDX-License-Identifier: Apache-2.0
#include "effect_story.h"

#include <span>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ask.h"
#include "bank.h"

namespace weir::crash {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::optional<std::vector<Effect>> ledger(Life& life, std::optional<EffectState> state = {}) {
  return ask(life, life.store().effects().list({.state = state, .limit = 1000}));
}

// What must hold at any time: what the ledger says is true, or it says that it does not know.
void check_ledger(const std::vector<Effect>& effects, const Journal& journal) {
  for (const Effect& effect : effects) {
    CAPTURE(effect.id.value);
    CAPTURE(describe(effect));
    const Payment* payment = find_payment(journal, effect.sent_key());
    const std::uint32_t executed = payment == nullptr ? 0 : payment->executed;
    CHECK(executed <= 1);
    if (effect.state == EffectState::confirmed) CHECK(executed == 1);
    if (effect.state == EffectState::failedNoEffect) CHECK(executed == 0);
  }
  for (const Payment& payment : journal.payments) {
    if (payment.event == 0) continue;
    const auto entry = std::ranges::find_if(effects, [&](const Effect& effect) {
      return find_payment(journal, effect.sent_key()) == &payment;
    });
    REQUIRE(entry != effects.end());  // the intent was durable before the first byte left
    if (payment.heard) CHECK(entry->state == EffectState::confirmed);
  }
}

bool look_at_ledger(Life& life, Journal& journal) {
  const auto effects = ledger(life);
  if (!effects) return false;
  check_ledger(*effects, journal);
  return true;
}

// Somebody calls the bank, and believes what is said there.
bool settle_doubts(Life& life, Journal& journal) {
  const auto doubts = ledger(life, EffectState::inDoubt);
  if (!doubts) return false;
  for (const Effect& effect : *doubts) {
    const Payment* payment = find_payment(journal, effect.sent_key());
    const bool happened = payment != nullptr && payment->executed > 0;
    const auto done = ask(
        life, life.gateway().resolve(
                  effect, happened ? EffectState::confirmed : EffectState::failedNoEffect, kActor,
                  "asked the bank"));
    if (!done) return false;
  }
  return true;
}

ReplayPlan plan_of_all(const std::string& name) {
  ReplayPlan plan{.selection = {.flow = "feed"}, .reason = name};
  plan.canary.count = 0;
  plan.rate = {.start_per_second = 50, .max_per_second = 50, .concurrency = 4};
  plan.stop.failure_share = {0};
  plan.stop.same_fingerprint = {0};
  return plan;
}

// Nothing may be in quarantine any more.
Step replay_if_needed(const std::string& name) {
  return [=](Life& life, Journal& journal) {
    const auto rows = ask(life,
                          life.store().deliveries().list({.state = DeliveryState::quarantined}));
    if (!rows) return false;
    if (rows->empty()) return true;
    return plan(plan_of_all(name))(life, journal) &&
           say(name, ReplayState::running, {ReplayState::planned})(life, journal) &&
           settle(seconds{60})(life, journal);
  };
}

void check_payments(Life& life, const Journal& journal, std::uint32_t) {
  const auto effects = ledger(life);
  REQUIRE(effects);
  check_ledger(*effects, journal);
  CHECK(effects->size() == kPayments);
  for (const Effect& effect : *effects) {
    CAPTURE(effect.id.value);
    CHECK(effect.state == EffectState::confirmed);
  }
  for (const Payment& payment : journal.payments) CHECK(payment.executed <= 1);
  for (std::uint32_t event = 1; event <= kPayments; ++event) {
    const DeliveryRef ref{life.engine().find_flow("feed")->id(), {StreamId{1}, 0, event}};
    const auto row = answer(life, life.store().deliveries().get(ref));
    const auto settled = answer(life, life.store().deliveries().settlement(ref.flow, ref.position));
    CAPTURE(event);
    const std::string state = row ? fmt::format("{}: {}", to_text(row->state), row->reason)
                                  : "no row";
    CAPTURE(state);
    CHECK((settled || (row && row->state == DeliveryState::done)));
  }
}

int answer_paid(const Journal&, FlowName, std::uint32_t) { return 200; }

Config config_of_effects() {
  Config config = config_of_flows();
  config.flows.erase(config.flows.begin());  // feed stays
  config.flows[0].effects = {"keys", "held", "asked"};
  config.dependencies[0].policy.circuit_breaker.enabled = false;
  for (const std::string& name : config.flows[0].effects) {
    DependencySpec bank{.name = name, .url = "http://127.0.0.1:2"};
    bank.policy.circuit_breaker.enabled = false;
    bank.policy.idempotency.window = hours{48};
    config.dependencies.push_back(std::move(bank));
  }
  IdempotencySpec& keys = config.dependencies[1].policy.idempotency;
  keys.on_in_doubt = OnInDoubt::retryWithKey;
  keys.downstream_retention = hours{24};
  IdempotencySpec& asked = config.dependencies[3].policy.idempotency;
  asked.on_in_doubt = OnInDoubt::reconcile;
  asked.reconcile = {.path = "/payments/{key}",
                     .applied = {200},
                     .applied_where = {},
                     .not_applied = {404},
                     .not_applied_where = {},
                     .after = seconds{1}};
  return config;
}

std::vector<Step> effect_steps() {
  return {publish(1, kPayments), settle(milliseconds{20}),  settle(seconds{60}), look_at_ledger,
          settle_doubts,         replay_if_needed("first"), look_at_ledger};
}

std::vector<Step> last_effect_steps() {
  return {settle(seconds{60}), settle_doubts, replay_if_needed("second"),
          look_at_ledger,      settle_doubts, replay_if_needed("third")};
}

}  // namespace

const Story& effect_story() {
  static const Story story = {.config = config_of_effects(),
                              .answer = answer_paid,
                              .steps = effect_steps(),
                              .last_steps = last_effect_steps(),
                              .check = check_payments};
  return story;
}

}  // namespace weir::crash
