// SPDX-License-Identifier: Apache-2.0
#include "effects/gateway.h"

#include <deque>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "async/completion.h"
#include "ports/testing/store_bench.h"
#include "store/memory/memory_store.h"

namespace weir::effects {
namespace {

using ports::testing::kFlow;
using ports::testing::ref;
using ports::testing::StoreBench;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A gateway over the memory store, with a dependency that answers what was laid in, or when told.
struct Desk {
  StoreBench bench{[](async::Executor executor) { return store::memory::open(executor); }};
  async::VirtualClock clock{bench.executor()};
  policy::RunningAttempts running{"secret"};
  FlowSpec flow{.name = "sync", .effects = {"bank"}};
  DependencySpec bank{.name = "bank", .url = "http://bank"};
  policy::Guardrails guardrails{bank.policy};
  std::deque<Outcome> answers;
  std::vector<std::string> sent;  // "POST /pay\n" and the headers
  std::optional<async::Completion<bool>> waiting;
  bool waits = false;
  Gateway gateway{bench.store(), clock, running, wired(), 1};
  std::string token = begin();

  // Whatever happened, nothing is held.
  ~Desk() { CHECK(guardrails.in_flight() == 0); }

  // In doubt, the bank is asked whether it happened, so long after the call.
  void asks_first(Duration after) {
    bank.policy.idempotency.on_in_doubt = OnInDoubt::reconcile;
    bank.policy.idempotency.reconcile = {.path = "/of/{key}",
                                         .applied = {200},
                                         .applied_where = {},
                                         .not_applied = {404},
                                         .not_applied_where = {},
                                         .after = after};
  }

  Wired wired() {
    return {
        .flow = [this](FlowId) { return &flow; },
        .dependency = [this](std::string_view name) { return name == "bank" ? &bank : nullptr; },
        .guardrails = [this](std::string_view) { return &guardrails; },
        .released = [](std::string_view) {},
        .send = [this](Send send) { return answer(send); }};
  }

  async::Task<Outcome> answer(Send send) {
    sent.push_back(fmt::format("{} {}\n{}", send.method, send.target, send.headers));
    if (waits) {
      co_await async::complete_with<bool>(
          [this](async::Completion<bool> go) { waiting.emplace(std::move(go)); });
    }
    if (answers.empty()) co_return Outcome{.status = 201, .body = "paid"};
    Outcome outcome = std::move(answers.front());
    answers.pop_front();
    co_return outcome;
  }

  std::string begin() {
    return running.begin({.delivery = ref(1),
                          .flow = "sync",
                          .flow_identity = "sync",
                          .idempotency_key = "delivery",
                          .deadline = clock.mono() + seconds{10},
                          .traceparent = "00-t-s-01"});
  }

  EffectRequest request(std::string name = "pay", std::string body = "{}") {
    return {.dependency = "bank",
            .method = "POST",
            .target = "/pay",
            .headers = {},
            .body = std::move(body),
            .token = token,
            .caller_key = {},
            .step = {},
            .name = std::move(name)};
  }

  EffectReply call(EffectRequest one) { return bench.run(gateway.call(std::move(one))); }
  EffectReply call() { return call(request()); }
  Effect entry(std::uint64_t id = 1) {
    return bench.run(bench.store().effects().find(EffectId{id}))->value();
  }
  static async::Task<bool> slept_until(async::VirtualClock& clock, MonoTime until) {
    co_await clock.sleep_until(until);
    co_return true;
  }
  void pass(Duration time) {
    const MonoTime until = clock.mono() + time;
    std::optional<bool> slept;
    bench.start(slept_until(clock, until), slept);
    bench.wait([&] {
      clock.advance_to_next(until);
      return slept.has_value();
    });
  }
};

Outcome lost() { return {.fault = Fault::connectionClosed, .fault_detail = "closed"}; }

Code code_of(const EffectReply& reply) {
  REQUIRE(reply.error);
  return reply.error->code;
}

}  // namespace

TEST_CASE(
    "gateway: the second call under a key is answered from the ledger, the first answer kept") {
  Desk desk;
  desk.answers = {
      {.status = 201, .headers = {{"location", "/p/1"}, {"connection", "close"}}, .body = "paid"}};
  CHECK(desk.call().standing == "confirmed");
  const EffectReply again = desk.call();
  CHECK(again.standing == "replayed");
  CHECK(again.answer == EffectAnswer{201, {{"location", "/p/1"}}, "paid"});
  CHECK(desk.sent.size() == 1);
  CHECK(desk.call(desk.request("another")).standing == "confirmed");
  CHECK(code_of(desk.call(desk.request("pay", "other"))) == Code::effect_other_body);
}

TEST_CASE(
    "gateway: a person who settles a doubt while its repeat is under way is not overwritten") {
  Desk desk;
  desk.bank.policy.idempotency = {.on_in_doubt = OnInDoubt::retryWithKey,
                                  .downstream_retention = hours{1}};
  desk.answers = {lost(), {.status = 201}};
  CHECK(desk.call().standing == "inDoubt");
  desk.waits = true;
  std::optional<EffectReply> late;
  desk.bench.start(desk.gateway.call(desk.request()), late);
  desk.bench.wait([&] { return desk.waiting.has_value(); });
  const auto refused = desk.bench.run(
      desk.gateway.resolve(desk.entry(), EffectState::failedNoEffect, "anna", "looked"));
  CHECK(refused.error().code == Code::conflict);
  // Another process, which does not know of the call, settles it.
  Effect settled = desk.entry();
  settled.state = EffectState::failedNoEffect;
  ++settled.version;
  desk.bench.commit({ports::PutEffect{settled}});
  (*desk.waiting)(true);
  desk.bench.wait([&] { return late.has_value(); });
  CHECK(code_of(*late) == Code::effect_in_doubt);
  CHECK(desk.entry() == settled);
}

TEST_CASE("gateway: nobody settles another version of an effect than the one that was read") {
  Desk desk;
  desk.answers = {lost()};
  CHECK(desk.call().standing == "inDoubt");
  const Effect read = *desk.bench.run(desk.gateway.in_doubt(EffectId{1}));
  Effect sent = read;
  SUBCASE("in doubt again") {}
  SUBCASE("sent, and its result is not known here") { sent.state = EffectState::sent; }
  ++sent.version;
  desk.bench.commit({ports::PutEffect{sent}});
  const auto late = desk.bench.run(
      desk.gateway.resolve(read, EffectState::confirmed, "anna", "looked"));
  CHECK(late.error().code == Code::conflict);
  CHECK(desk.entry() == sent);
  CHECK(desk.bench.run(desk.gateway.in_doubt(EffectId{1}))->version == sent.version);
}

TEST_CASE("gateway: a doubt that a person settles is not answered with what another call said") {
  Desk desk;
  desk.answers = {{.status = 500, .body = "oops"}};
  CHECK(desk.call().standing == "inDoubt");
  REQUIRE(desk.bench.run(desk.gateway.resolve(desk.entry(), EffectState::confirmed, "anna", "seen"))
              .ok());
  const EffectReply reply = desk.call();
  CHECK(reply.standing == "replayed");
  CHECK(reply.answer.status == 200);
  CHECK(reply.answer.body == R"({"effect":"e1","state":"confirmed"})");
}

TEST_CASE("gateway: a dependency that speaks of deliveries says nothing about effects") {
  Desk desk;
  desk.answers = {{.status = 201, .headers = {{"weir-outcome", "retry"}}},
                  {.status = 422, .headers = {{"weir-outcome", "done"}}}};
  const EffectReply reply = desk.call();
  CHECK(reply.standing == "confirmed");
  CHECK(reply.answer.headers.empty());
  CHECK(desk.call(desk.request("other")).standing == "failedNoEffect");
}

TEST_CASE("gateway: two requests under one key at once are two requests, not one that is late") {
  Desk desk;
  desk.waits = true;
  std::optional<EffectReply> first;
  desk.bench.start(desk.gateway.call(desk.request()), first);
  desk.bench.wait([&] { return desk.waiting.has_value(); });
  CHECK(code_of(desk.call(desk.request("pay", "other"))) == Code::effect_other_body);
  CHECK(code_of(desk.call()) == Code::effect_in_progress);
  (*desk.waiting)(true);
  desk.bench.wait([&] { return first.has_value(); });
  CHECK(first->standing == "confirmed");
  const EffectReport report = desk.running.end(desk.token);
  CHECK(report.failed == 2);  // neither is a reason to try again for ever
  CHECK_FALSE(report.other_body.empty());
}

TEST_CASE(
    "gateway: a key of the caller's own is spelled as it was, and kept for who stands on it") {
  Desk desk;
  desk.bank.policy.idempotency = {.on_in_doubt = OnInDoubt::retryWithKey,
                                  .downstream_retention = hours{1}};
  desk.answers = {lost(), {.status = 201}};
  EffectRequest own = desk.request();
  own.caller_key = "invoice-9";
  CHECK(desk.call(own).standing == "inDoubt");
  own.caller_key = "\"invoice-9\"";
  CHECK(desk.call(own).standing == "confirmed");
  for (const std::string& sent : desk.sent)
    CHECK(sent.find("Idempotency-Key: invoice-9\r\n") != sent.npos);
  CHECK(desk.entry().delivery == ref(1));
  desk.token = desk.running.begin({.delivery = ref(2),
                                   .flow = "renamed",
                                   .flow_identity = "sync",
                                   .idempotency_key = "another delivery",
                                   .deadline = desk.clock.mono() + seconds{10}});
  own.token = desk.token;
  CHECK(desk.call(own).standing == "replayed");
  CHECK(desk.entry().delivery == ref(2));
}

TEST_CASE("gateway: a repeat does not make the key any younger") {
  Desk desk;
  desk.bank.policy.idempotency = {.on_in_doubt = OnInDoubt::retryWithKey,
                                  .downstream_retention = hours{1}};
  desk.answers = {lost(), lost(), {.status = 201}};
  CHECK(desk.call().standing == "inDoubt");
  desk.pass(std::chrono::minutes{40});
  desk.token = desk.begin();
  CHECK(desk.call().standing == "inDoubt");
  desk.pass(std::chrono::minutes{20});
  desk.token = desk.begin();
  CHECK(code_of(desk.call()) == Code::effect_in_doubt);
  CHECK(desk.sent.size() == 2);
}

TEST_CASE("gateway: nothing is sent once the attempt is over") {
  Desk desk;
  CHECK(desk.running.end(desk.token).refused == 0);
  CHECK(code_of(desk.call()) == Code::effect_token_unknown);
  desk.token = desk.begin();
  desk.pass(milliseconds{9'960});
  CHECK(code_of(desk.call()) == Code::effect_not_done);
  CHECK(desk.sent.empty());
  CHECK(desk.bench.run(desk.bench.store().effects().list({}))->empty());
}

TEST_CASE("gateway: a guardrail that refuses has sent and written nothing, and is no failure") {
  Desk desk;
  desk.guardrails.force_breakers(BreakerOrder::open, MonoTime::max(), desk.clock.mono());
  const EffectReply reply = desk.call();
  CHECK(code_of(reply) == Code::effect_refused);
  CHECK(reply.retry_after > Duration{});
  CHECK(desk.sent.empty());
  CHECK(desk.bench.run(desk.bench.store().effects().list({}))->empty());
  const EffectReport report = desk.running.end(desk.token);
  CHECK(report.refused == 1);
  CHECK(report.failed == 0);
  CHECK(report.first_refusal.starts_with("the effect (POST bank/pay) was put off: bank: "));
  CHECK(report.first_refusal.ends_with(": " + reply.error->detail));
}

TEST_CASE("gateway: a dependency is not asked while the request may still be under way") {
  Desk desk;
  desk.asks_first(seconds{5});
  desk.answers = {lost(), {.status = 200}};
  CHECK(desk.call().standing == "inDoubt");
  const EffectReply early = desk.call();
  CHECK(code_of(early) == Code::effect_in_doubt);
  CHECK(early.retry_after == seconds{5});
  desk.pass(seconds{5});
  CHECK(desk.call().standing == "replayed");
  CHECK(desk.sent.size() == 2);
  CHECK(desk.sent.back().starts_with(fmt::format("GET /of/{}\n", desk.entry().key)));
  CHECK(desk.entry().resolution.starts_with("weir: "));
}

TEST_CASE("gateway: what a question gave that settled nothing is said of effect and attempt") {
  Desk desk;
  desk.asks_first(Duration{});
  const Outcome down{.fault = Fault::refused, .fault_detail = "connect: connection refused"};
  const Outcome much{.status = 404, .body_left_out = true};
  desk.answers = {lost(), down, down, {.status = 500}, {.status = 202}, much, {.status = 404}};
  CHECK(desk.call().standing == "inDoubt");
  CHECK(desk.running.end(desk.token).refused == 0);
  const Effect before = desk.entry();
  for (int i = 0; i < 2; ++i) {  // the same again is no news
    desk.token = desk.begin();
    CHECK(code_of(desk.call()) == Code::effect_in_doubt);
    CHECK(desk.running.end(desk.token).first_refusal ==
          "effect e1 (POST bank/pay) was put off: it is in doubt, and bank was asked first: "
          "connect: connection refused");
    CHECK(desk.entry().reason == before.reason + "; reconcile: connect: connection refused");
    CHECK(desk.entry().version == before.version + 1);
    CHECK(desk.entry().changed_at == before.changed_at);
  }
  const auto by_hand = desk.bench.run(desk.gateway.reconcile(EffectId{1}, "anna", "look"));
  CHECK(by_hand.error().code == Code::wrong_state);
  CHECK(desk.entry().reason == before.reason + "; reconcile: asked about the key, it answered 500");
  desk.token = desk.begin();
  CHECK_FALSE(desk.call().retry_after > Duration{});  // 202 will not change: a person
  CHECK(desk.entry().reason == before.reason + "; reconcile: asked about the key, it answered 202");
  CHECK_FALSE(desk.bench.run(desk.gateway.reconcile(EffectId{1}, "anna", "look")).ok());
  CHECK(desk.entry().reason ==
        before.reason + "; reconcile: asked about the key, it answered 404 with more than is read");
  CHECK(desk.bench.run(desk.gateway.reconcile(EffectId{1}, "anna", "look"))->state ==
        EffectState::failedNoEffect);
}

TEST_CASE("gateway: an answer that is too large to keep is judged by its status, without a body") {
  Desk desk;
  const auto large = [](int status) {
    return Outcome{.status = status,
                   .headers = {{"location", "/p/1"}, {"content-type", "text/plain"}},
                   .body_left_out = true};
  };
  desk.answers = {large(201), large(422), large(500), large(200)};
  const EffectReply reply = desk.call();
  CHECK(reply.standing == "confirmed");
  CHECK(reply.answer.status == 201);
  CHECK(reply.answer.body.empty());
  CHECK(reply.answer.headers ==
        decltype(reply.answer.headers){
            {"location", "/p/1"},
            {"weir-answer", "without its body, which is larger than 1048576 bytes"}});
  CHECK(desk.entry().reason ==
        "the dependency said so; the body of its answer was too large to keep");
  CHECK(desk.call().answer == reply.answer);  // replayed
  CHECK(desk.call(desk.request("other")).standing == "failedNoEffect");
  CHECK(desk.call(desk.request("third")).standing == "inDoubt");
  EffectRequest safe = desk.request();
  safe.method = "GET";
  const EffectReply got = desk.call(safe);
  CHECK(code_of(got) == Code::effect_not_done);
  CHECK(got.standing.empty());
  CHECK(desk.running.end(desk.token).failed == 3);
}

TEST_CASE("gateway: what the last process had sent is in doubt, however much it is") {
  Desk desk;
  std::vector<ports::Mutation> entries;
  for (int i = 0; i < 1500; ++i)
    entries.emplace_back(ports::PutEffect{ports::testing::effect(1, fmt::format("k{}", i))});
  desk.bench.commit(std::move(entries));
  REQUIRE(desk.bench.run(desk.gateway.start()).ok());
  CHECK(desk.bench.run(desk.bench.store().effects().list({.state = EffectState::sent}))->empty());
  CHECK(desk.entry(1500).state == EffectState::inDoubt);
  CHECK(desk.entry(1500).version == 2);
}

TEST_CASE("gateway: what is settled is forgotten after the window, in bounded steps") {
  Desk desk;
  desk.bank.policy.idempotency.window = hours{2};
  std::vector<ports::Mutation> entries;
  for (int i = 0; i < 700; ++i) {
    Effect one = ports::testing::effect(1, fmt::format("k{}", i));
    one.dependency = "bank";
    one.state = EffectState::confirmed;
    one.changed_at = desk.clock.wall();
    entries.emplace_back(ports::PutEffect{one});
  }
  desk.bench.commit(std::move(entries));
  CHECK_FALSE(desk.bench.run(desk.gateway.forget_step()));
  CHECK(desk.bench.run(desk.bench.store().effects().list({.limit = 1000}))->size() == 700);
  desk.pass(hours{2} + seconds{1});
  CHECK(desk.bench.run(desk.gateway.forget_step()));
  CHECK_FALSE(desk.bench.run(desk.gateway.forget_step()));
  CHECK(desk.bench.run(desk.bench.store().effects().list({}))->empty());
}

TEST_CASE("gateway: entries of a dependency that left the configuration are forgotten, too") {
  Desk desk;
  Effect one = ports::testing::effect(1, "gone");
  one.dependency = "was there";
  one.state = EffectState::confirmed;
  one.changed_at = desk.clock.wall();
  desk.bench.commit({ports::PutEffect{one}});
  desk.pass(IdempotencySpec{}.window - seconds{1});
  CHECK_FALSE(desk.bench.run(desk.gateway.forget_step()));
  CHECK(desk.bench.run(desk.bench.store().effects().list({}))->size() == 1);
  desk.pass(seconds{2});
  CHECK_FALSE(desk.bench.run(desk.gateway.forget_step()));
  CHECK(desk.bench.run(desk.bench.store().effects().list({}))->empty());
}

TEST_CASE("gateway: where breakers are per path, an operator's order reaches that of effects") {
  Desk desk;
  desk.bank.policy.circuit_breaker.per_path = true;
  desk.guardrails = policy::Guardrails(desk.bank.policy);
  desk.guardrails.set_paths({"/hook", policy::kEffectsPath}, desk.clock.mono());
  desk.guardrails.force_breakers(BreakerOrder::open, MonoTime::max(), desk.clock.mono());
  CHECK(code_of(desk.call()) == Code::effect_refused);
  CHECK(desk.sent.empty());
  desk.guardrails.force_breakers(BreakerOrder::automatic, MonoTime::max(), desk.clock.mono());
  CHECK(desk.call().standing == "confirmed");
}

}  // namespace weir::effects
