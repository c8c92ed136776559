// SPDX-License-Identifier: Apache-2.0
#include "policy/effect_ledger.h"

#include <set>

#include <doctest/doctest.h>

#include "policy/classify.h"

namespace weir::policy {
namespace {

constexpr WallTime kSent = WallTime{std::chrono::hours{1000}};

Effect known(EffectState state) {
  return {
      .key = "k", .state = state, .dependency = "bank", .fingerprint = "f", .first_sent = kSent};
}

IdempotencySpec rules(OnInDoubt on) {
  return {.on_in_doubt = on, .downstream_retention = std::chrono::hours{10}};
}

Ruling ruling(EffectState state, OnInDoubt on, Duration age = {}) {
  return judge(known(state), "f", rules(on), kSent + age).ruling;
}

EffectState after(Outcome outcome, bool repeat = false) {
  return state_after(classify(outcome, {}, "flow", "bank", kSent), outcome, repeat);
}

Outcome fault(Fault kind, Phase phase = Phase::maybeSeen) {
  return {.fault = kind, .phase = phase};
}

}  // namespace

TEST_CASE("keys name the delivery, the step and the effect; or the flow and the caller's key") {
  const std::set<std::string> keys = {
      effect_key("d", "s", "n"),   effect_key("d2", "s", "n"),   effect_key("d", "s2", "n"),
      effect_key("d", "s", "n2"),  effect_key("ds", "", "n"),    effect_key("d", "", "sn"),
      caller_effect_key("d", "n"), caller_effect_key("d2", "n"), caller_effect_key("dn", "")};
  CHECK(keys.size() == 9);
  for (const std::string& key : keys) CHECK(key.size() == 32);
  CHECK(effect_key("d", "s", "n") == effect_key("d", "s", "n"));
}

TEST_CASE("the fingerprint tells every part of a request apart") {
  const std::set<std::string> prints = {
      effect_fingerprint("POST", "bank", "/a", "x"), effect_fingerprint("PUT", "bank", "/a", "x"),
      effect_fingerprint("POST", "shop", "/a", "x"), effect_fingerprint("POST", "bank", "/b", "x"),
      effect_fingerprint("POST", "bank", "/a", "y"), effect_fingerprint("POST", "bank", "/ax", "")};
  CHECK(prints.size() == 6);
}

TEST_CASE("what the ledger says to another call") {
  using enum EffectState;
  using enum OnInDoubt;
  CHECK(judge(std::nullopt, "f", rules(hold), kSent).ruling == Ruling::send);
  for (const OnInDoubt on : {hold, retryWithKey, reconcile}) {
    CHECK(ruling(failedNoEffect, on) == Ruling::send);
    CHECK(ruling(confirmed, on) == Ruling::answer);
    for (const EffectState state : {sent, confirmed, failedNoEffect, inDoubt})
      CHECK(judge(known(state), "other", rules(on), kSent).ruling == Ruling::otherBody);
  }
  for (const EffectState doubtful : {sent, inDoubt}) {
    CHECK(ruling(doubtful, hold) == Ruling::hold);
    CHECK(ruling(doubtful, reconcile) == Ruling::ask);
    CHECK(ruling(doubtful, retryWithKey) == Ruling::repeat);
  }
}

TEST_CASE("a key is used again for nine tenths of what the dependency is said to remember") {
  const auto age = [](std::int64_t minutes) { return std::chrono::minutes{minutes}; };
  CHECK(ruling(EffectState::inDoubt, OnInDoubt::retryWithKey, age(539)) == Ruling::repeat);
  CHECK(ruling(EffectState::inDoubt, OnInDoubt::retryWithKey, age(540)) == Ruling::hold);
  const Judgement late = judge(known(EffectState::inDoubt), "f", rules(OnInDoubt::retryWithKey),
                               kSent + age(600));
  CHECK(late.reason.find("bank may have forgotten the key") == 0);
  CHECK(judge(known(EffectState::inDoubt), "f", {.on_in_doubt = OnInDoubt::retryWithKey}, kSent)
            .ruling == Ruling::hold);
}

TEST_CASE("unknown is not failed: what an outcome makes of an effect") {
  using enum EffectState;
  const std::pair<int, EffectState> statuses[] = {
      {200, confirmed},      {201, confirmed},      {202, confirmed},      {204, confirmed},
      {301, inDoubt},        {302, inDoubt},        {303, inDoubt},        {307, failedNoEffect},
      {308, failedNoEffect}, {400, failedNoEffect}, {401, failedNoEffect}, {404, failedNoEffect},
      {409, failedNoEffect}, {422, failedNoEffect}, {429, failedNoEffect}, {500, inDoubt},
      {502, inDoubt},        {503, inDoubt},        {504, inDoubt},        {599, inDoubt}};
  for (const auto& [status, state] : statuses) {
    CAPTURE(status);
    CHECK(after({.status = status}) == state);
  }
  CHECK(after({.status = 503, .headers = {{"retry-after", "1"}}}) == failedNoEffect);
  for (int kind = 1; kind < kFaultCount; ++kind) {
    CAPTURE(kind);
    CHECK(after(fault(static_cast<Fault>(kind), Phase::notSent)) == failedNoEffect);
    CHECK(after(fault(static_cast<Fault>(kind))) == inDoubt);
  }
}

TEST_CASE("a 409 to a later call may be about an earlier one that still runs") {
  const Outcome conflict{.status = 409};
  const Classification result = classify(conflict, {}, "flow", "bank", kSent);
  CHECK(state_after(result, conflict, false, 1) == EffectState::failedNoEffect);
  CHECK(state_after(result, conflict, false, 2) == EffectState::inDoubt);
}

TEST_CASE("the answer to a repeat confirms, and never clears a doubt") {
  CHECK(after({.status = 200}, true) == EffectState::confirmed);
  for (const int status : {400, 404, 409, 422, 429, 500})
    CHECK(after({.status = status}, true) == EffectState::inDoubt);
  CHECK(after(fault(Fault::refused, Phase::notSent), true) == EffectState::inDoubt);
}

}  // namespace weir::policy
