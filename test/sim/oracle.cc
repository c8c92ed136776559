// SPDX-License-Identifier: Apache-2.0
// The dependencies that effects reach: they keep a list of what they really executed.
#include <fmt/format.h>

#include "payment.h"
#include "world.h"

namespace weir::engine_sim {

using engine_test::Mishap;

effects::EffectRequest payment_of(std::uint32_t event, const std::string& token) {
  static constexpr std::string_view kBanks[] = {"keys", "held", "asked"};
  return {.dependency = std::string(kBanks[event % 3]),
          .method = "POST",
          .target = "/payments",
          .headers = {},
          .body = fmt::format("{}", event),
          .token = token,
          // Every fourth handler has a key of its own.
          .caller_key = event % 4 == 0 ? fmt::format("payment-{}", event) : "",
          .step = {},
          .name = "pay"};
}

// 200 if the effect happened, as far as the handler was told.
async::Task<int> World::pay(std::uint32_t event, std::string token, Rng rng) {
  const std::uint32_t life = journal_.life;
  const effects::EffectRequest request = payment_of(event, token);
  if (is_on(Fault::duplicates) && rng.below(4) == 0) process_->spawn(pay_again(event, token));
  effects::EffectReply reply = co_await process_->gateway().call(request);
  if (journal_.life == life) note_reply(reply, request);
  co_return reply.error || reply.answer.status >= 300 ? 503 : 200;
}

async::Task<> World::pay_again(std::uint32_t event, std::string token) {
  const effects::EffectRequest request = payment_of(event, token);
  effects::EffectReply reply = co_await process_->gateway().call(request);
  note_reply(reply, request);
}

async::Task<> World::pay_late(std::uint32_t event, std::string token, MonoTime at) {
  co_await process_->clock().sleep_until(at);
  if (process_->is_ending() || process_->dead()) co_return;
  const effects::EffectRequest request = payment_of(event, token);
  effects::EffectReply reply = co_await process_->gateway().call(request);
  if (reply.error && reply.error->code == Code::effect_token_unknown)
    journal_.sometimes.reached(Rare::effectTooLate);
  else
    note_reply(reply, request);
}

void World::note_reply(const effects::EffectReply& reply, const effects::EffectRequest& request) {
  journal_.note(fmt::format("effect of e{} at {}: {} {} {}", request.body, request.dependency,
                            reply.error ? describe(reply.error->code).name : "answered",
                            reply.answer.status, reply.standing));
  if (reply.error && reply.error->code == Code::effect_in_progress)
    journal_.sometimes.reached(Rare::effectAtOnceTwice);
  if (reply.standing == "replayed") journal_.sometimes.reached(Rare::effectReplayed);
  if (reply.error || reply.answer.status >= 300) return;
  for (auto& [key, payment] : journal_.payments) {
    const bool own = !request.caller_key.empty() && key == request.caller_key;
    if (own || (request.caller_key.empty() && payment.event == request.body)) payment.heard = true;
  }
}

async::Task<Outcome> World::effect(effects::Send send) {
  if (!process_->reaches_the_handler())
    co_return Outcome{.fault = weir::Fault::refused, .phase = Phase::notSent};
  Outcome outcome;
  if (send.method == "GET") {
    const std::string key(send.target.substr(send.target.rfind('/') + 1));
    const auto payment = journal_.payments.find(key);
    const bool happened = payment != journal_.payments.end() && payment->second.executed > 0;
    journal_.sometimes.reached(Rare::effectReconciled);
    outcome.status = happened ? 200 : 404;
  } else {
    const std::string key = engine_test::key_in(send.headers);
    Payment& payment = journal_.payments[key];
    payment.event = send.body;
    Rng rng = die(plan_.seed, key, ++payment.calls);
    const bool mishap = is_on(Fault::effects) && rng.below(2) == 0;
    outcome = engine_test::pay(
        payment.executed, send.dependency.name == "keys",
        mishap ? static_cast<Mishap>(rng.below(engine_test::kMishaps)) : Mishap::none);
    journal_.note(fmt::format("{} serves {}: executed {} times", send.dependency.name, key,
                              payment.executed));
    if (payment.executed > 1) journal_.fail(fmt::format("{} was executed twice", key));
  }
  const Duration takes{500 + journal_.calls.size() % 7 * 300};
  co_await process_->clock().sleep_until(process_->clock().mono() + takes);
  outcome.latency = takes;
  co_return outcome;
}

async::Task<Result<policy::ProbeAnswer>> World::probe(Duration) {
  co_return policy::ProbeAnswer{.status = 200};
}

}  // namespace weir::engine_sim
