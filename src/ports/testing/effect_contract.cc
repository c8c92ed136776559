// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ports/testing/store_contract.h"

namespace weir::ports::testing {
namespace {

std::vector<Effect> listed(StoreBench& bench, EffectQuery query = {}) {
  return *bench.run(bench.store().effects().list(std::move(query)));
}

std::string keys_of(const std::vector<Effect>& effects) {
  std::string text;
  for (const Effect& one : effects) text += one.key + " ";
  return text;
}

Effect settled(std::uint64_t seq, const std::string& key, EffectState state, int changed) {
  Effect one = effect(seq, key);
  one.state = state;
  one.changed_at = at(changed);
  return one;
}

void entries(StoreBench& bench) {
  SUBCASE("what is written is what is read, and the store numbers it") {
    bench.commit({PutEffect{effect(1, "a")}, PutEffect{effect(2, "b")}});
    Effect wanted = effect(1, "a");
    wanted.id = EffectId{1};
    CHECK(*bench.run(bench.store().effects().get("a")) == wanted);
    CHECK(*bench.run(bench.store().effects().find(EffectId{1})) == wanted);
    CHECK((*bench.run(bench.store().effects().get("b")))->id == EffectId{2});
    CHECK(!bench.run(bench.store().effects().get("c"))->has_value());
    CHECK(!bench.run(bench.store().effects().find(EffectId{3}))->has_value());
  }
  SUBCASE("a key has one entry: writing it again replaces all but its number") {
    bench.commit({PutEffect{effect(1, "a")}});
    Effect later = effect(1, "a");
    later.version = 2;
    later.state = EffectState::confirmed;
    later.answer.body = "done";
    bench.commit({PutEffect{later}});
    bench.commit({PutEffect{effect(2, "b")}});
    later.id = EffectId{1};
    CHECK(*bench.run(bench.store().effects().get("a")) == later);
    CHECK(listed(bench).size() == 2);
    CHECK((*bench.run(bench.store().effects().get("b")))->id == EffectId{2});
  }
  SUBCASE("the fence: only who knows the present version may write") {
    const auto write = [&](std::uint32_t expected, std::uint32_t version) {
      Effect one = effect(1, "a");
      one.version = version;
      return bench
          .try_commit({.preconditions = {EffectIs{"a", expected}}, .mutations = {PutEffect{one}}})
          ->applied;
    };
    CHECK(!write(1, 2));
    CHECK(write(0, 1));
    CHECK(!write(0, 1));
    CHECK(write(1, 2));
    CHECK(!write(1, 2));
    CHECK((*bench.run(bench.store().effects().get("a")))->version == 2);
  }
  SUBCASE("a flow that is removed leaves its effects behind") {
    bench.commit({PutEffect{effect(1, "a")}});
    bench.commit({RemoveFlow{kFlow}});
    CHECK(keys_of(listed(bench)) == "a ");
  }
}

void questions(StoreBench& bench) {
  for (std::uint64_t seq = 1; seq <= 6; ++seq) {
    Effect one = effect(seq, fmt::format("k{}", seq), seq % 2 == 0 ? FlowId{2} : kFlow);
    one.state = seq <= 3 ? EffectState::inDoubt : EffectState::confirmed;
    one.dependency = seq == 1 ? "mailer" : "tracker";
    bench.commit({PutEffect{one}});
  }
  SUBCASE("lists are the newest first, page by page") {
    CHECK(keys_of(listed(bench, {.limit = 4})) == "k6 k5 k4 k3 ");
    CHECK(keys_of(listed(bench, {.before = EffectId{3}, .limit = 4})) == "k2 k1 ");
    CHECK(keys_of(listed(bench, {.state = EffectState::inDoubt})) == "k3 k2 k1 ");
    CHECK(keys_of(listed(bench, {.state = EffectState::confirmed, .flow = FlowId{2}})) == "k6 k4 ");
    CHECK(keys_of(listed(bench, {.dependency = "mailer"})) == "k1 ");
  }
  SUBCASE("those of deliveries come without what was answered") {
    Effect second = effect(1, "k1-2");
    bench.commit({PutEffect{second}});
    const auto found = *bench.run(bench.store().effects().of({ref(2, FlowId{2}), ref(1), ref(9)}));
    CHECK(keys_of(found) == "k2 k1 k1-2 ");
    for (const Effect& one : found) CHECK(one.answer == EffectAnswer{});
  }
  SUBCASE("what is in doubt is counted by dependency") {
    using Counts = std::vector<std::pair<std::string, std::uint64_t>>;
    CHECK(*bench.run(bench.store().effects().in_doubt()) == Counts{{"mailer", 1}, {"tracker", 2}});
  }
}

void forgetting(StoreBench& bench) {
  bench.commit({PutEffect{settled(1, "old", EffectState::confirmed, 10)},
                PutEffect{settled(2, "older", EffectState::failedNoEffect, 5)},
                PutEffect{settled(3, "doubt", EffectState::inDoubt, 5)},
                PutEffect{settled(4, "sent", EffectState::sent, 5)},
                PutEffect{settled(5, "new", EffectState::confirmed, 20)},
                PutEffect{settled(6, "open", EffectState::confirmed, 5)},
                PutEffect{settled(7, "closed", EffectState::confirmed, 15)},
                PutDelivery{delivery(6, DeliveryState::quarantined)},
                PutDelivery{delivery(7, DeliveryState::resolved)}});
  Effect other = settled(8, "other", EffectState::confirmed, 5);
  other.dependency = "mailer";
  bench.commit({PutEffect{other}});
  SUBCASE("what is settled and old is forgotten, the oldest first") {
    CHECK(bench.commit({DropEffects{"tracker", at(20), 2}}).effects_dropped == 2);
    CHECK(keys_of(listed(bench)) == "other closed open new sent doubt ");
    CHECK(bench.commit({DropEffects{"tracker", at(20), 2}}).effects_dropped == 1);
    CHECK(bench.commit({DropEffects{"tracker", at(20), 2}}).effects_dropped == 0);
    CHECK(keys_of(listed(bench)) == "other open new sent doubt ");
  }
  SUBCASE("the oldest settled ones are known by dependency") {
    using Ages = std::vector<std::pair<std::string, WallTime>>;
    CHECK(*bench.run(bench.store().effects().oldest_settled()) ==
          Ages{{"mailer", at(5)}, {"tracker", at(5)}});
    bench.commit({DropEffects{"mailer", at(20), 5}, DropEffects{"tracker", at(12), 5}});
    CHECK(*bench.run(bench.store().effects().oldest_settled()) == Ages{{"tracker", at(5)}});
    bench.commit(
        {PutDelivery{delivery(6, DeliveryState::done)}, DropEffects{"tracker", at(12), 5}});
    CHECK(*bench.run(bench.store().effects().oldest_settled()) == Ages{{"tracker", at(15)}});
  }
  SUBCASE("a number is never given twice") {
    bench.commit({DropEffects{"mailer", at(20), 5}});
    bench.commit({PutEffect{effect(9, "next")}});
    CHECK((*bench.run(bench.store().effects().get("next")))->id == EffectId{9});
  }
}

}  // namespace

void effect_contract(const StoreFactory& open) {
  StoreBench bench(open);
  bench.register_names();
  SUBCASE("entries") { entries(bench); }
  SUBCASE("questions") { questions(bench); }
  SUBCASE("forgetting") { forgetting(bench); }
}

}  // namespace weir::ports::testing
