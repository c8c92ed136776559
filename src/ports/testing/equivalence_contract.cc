// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <rapidcheck.h>

#include "base/crc32c.h"
#include "ports/testing/store_contract.h"

namespace weir::ports::testing {
namespace {

// One random mutation as small numbers, so that failing sequences shrink well.
struct Step {
  std::uint8_t kind = 0;
  std::uint8_t a = 0;
  std::uint8_t b = 0;
  std::uint8_t c = 0;
  bool starts_batch = false;
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << fmt::format("{{{},{},{},{},{}}}", step.kind, step.a, step.b, step.c,
                            step.starts_batch);
}

constexpr int kKinds = 22;
constexpr DeliveryState kRowStates[] = {DeliveryState::ready,       DeliveryState::inFlight,
                                        DeliveryState::waiting,     DeliveryState::quarantined,
                                        DeliveryState::quarantined, DeliveryState::done,
                                        DeliveryState::resolved,    DeliveryState::discarded};
constexpr const char* kHashes[] = {"aaaa", "bbbb", "cccc"};

// Small spaces, so that steps meet.
FlowId flow_of(const Step& step) { return FlowId{1u + step.a % 2}; }
DeliveryRef ref_of(const Step& step) { return ref(1 + step.b % 24, flow_of(step)); }
ReplayId replay_of(const Step& step) { return ReplayId{1u + step.c % 4}; }

AppendEvents append_of(const Step& step) {
  AppendEvents append{kStream, {}, at(1000 + step.c)};
  for (int i = 0; i < 1 + step.a % 4; ++i) {
    append.events.push_back(
        event(fmt::format("e{}", (step.b + i) % 30), step.c % 7 == 0 ? "1" : "0"));
    if (step.c % 5 == 0) append.events.back().dedupe_hash &= 0x3ull << 40;  // collisions
  }
  return append;
}

Cursor cursor_of(const Step& step) {
  Cursor cursor{.floor = 1u + step.b, .mark = 1u + step.b + 100, .settled = {}};
  if (step.c % 2 == 1) cursor.settled = {{3u + step.b, 5u + step.b}, {10u + step.b, 11u + step.b}};
  return cursor;
}

Delivery row_of(const Step& step) {
  Delivery row = delivery(ref_of(step).position.seq, kRowStates[step.c % 8], flow_of(step));
  row.changed_at = at(300 + step.c);
  row.archived = step.c % 9 == 0;
  row.group = GroupId{step.c % 5u};
  return row;
}

Selection selection_of(const Step& step) {
  Selection selection;
  if (step.a % 3 != 0) selection.group = kHashes[step.b % 3];
  if (step.a % 3 != 1) selection.flow = step.b % 2 == 0 ? "ship" : "bill";
  if (step.c % 4 == 0) selection.since = at(300 + step.b % 128);
  if (step.c % 4 == 1) selection.until = at(300 + step.b % 128);
  if (step.c % 8 == 2) selection.failure = FailureClass::auth;
  return selection;
}

AddSettlements settlements_of(const Step& step) {
  AddSettlements add{flow_of(step), kStream, at(2000 + step.c), {}};
  for (unsigned i = 0; i < 1u + step.c % 3; ++i) {
    add.settlements.push_back({1 + step.b % 24 + i * (1 + step.c % 5),
                               static_cast<std::uint16_t>(200 + step.c % 3), step.c, 1});
  }
  return add;
}

Mutation recovery_mutation_of(const Step& step) {
  switch (step.kind) {
    case 10: return CreateReplay{replay(selection_of(step), at(300 + step.c))};
    case 11:
      return FreezeChunk{replay_of(step), step.b % 2 == 0 ? DeliveryRef{} : ref_of(step),
                         1u + step.b % 6};
    case 12: return AddReplayItems{replay_of(step), {ref_of(step)}};
    case 13: {
      Replay put = replay(selection_of(step), at(step.c));
      put.id = replay_of(step);
      put.state = static_cast<ReplayState>(step.b % 8);
      return PutReplay{put};
    }
    case 14:
      return SetReplayItem{replay_of(step), ref_of(step), static_cast<ItemState>(step.c % 6)};
    case 15:
      return step.c % 8 == 0 ? Mutation{DropReplay{replay_of(step)}}
                             : Mutation{LeaveGroup{GroupId{step.c % 5u}}};
    default:
      return join(ref_of(step).position.seq, kHashes[step.c % 3], at(500 + step.b), flow_of(step));
  }
}

Mutation effect_mutation_of(const Step& step) {
  if (step.c % 16 == 0) return DropEffects{"tracker", at(300 + step.b), 1u + step.a % 3};
  Effect one = effect(1 + step.b % 24, fmt::format("k{}", step.b % 24), flow_of(step));
  one.state = static_cast<EffectState>(1 + step.c % 4);
  one.version = 1u + step.a;
  one.changed_at = at(300 + step.c);
  one.dependency = step.a % 5 == 0 ? "mailer" : "tracker";
  return PutEffect{one};
}

Mutation mutation_of(const Step& step) {
  switch (step.kind) {
    case 0: return append_of(step);
    case 1: return PutCursor{flow_of(step), cursor_of(step)};
    case 2: return settlements_of(step);
    case 3: return KeepEvent{ref_of(step)};
    case 4: return DropKeptEvent{ref_of(step)};
    case 5:
      return PutHold{{flow_of(step), fmt::format("k{}", step.b % 3), place(step.c), step.c,
                      step.c + 1u, step.b, step.c % 2 == 1}};
    case 6: return DropHold{flow_of(step), fmt::format("k{}", step.b % 3)};
    case 7: return TrimStream{kStream, step.b % 20u, {ref_of(step)}};
    case 8:
      return step.c % 8 == 0 ? Mutation{RemoveFlow{flow_of(step)}}
                             : Mutation{AddAudit{{.action = "x"}}};
    case 9: return PutFlow{flow(flow_of(step), step.a % 2 == 0 ? "ship" : "bill")};
    case 16:
    case 17:
    case 18: return PutDelivery{row_of(step)};
    case 20:
    case 21: return effect_mutation_of(step);
    default: return recovery_mutation_of(step);
  }
}

std::vector<WriteBatch> batches_of(const std::vector<Step>& steps) {
  std::vector<WriteBatch> batches(1);
  for (const Step& step : steps) {
    if (step.starts_batch) {
      batches.emplace_back();
      batches.back().lane = static_cast<Lane>(step.c % 3);
      if (step.a % 4 == 0)
        batches.back().preconditions = {DeliveryIs{ref_of(step), kRowStates[step.c % 8]}};
      if (step.a % 8 == 1)
        batches.back().preconditions = {
            ReplayItemIs{replay_of(step), ref_of(step), ItemState::planned}};
      if (step.a % 8 == 3)
        batches.back().preconditions = {EffectIs{fmt::format("k{}", step.b % 24), step.c % 3u}};
    }
    batches.back().mutations.push_back(mutation_of(step));
  }
  return batches;
}

std::string text_of(const Result<Receipt>& result) {
  if (!result.ok()) return fmt::format("error {}", describe(result.error().code).id);
  std::string text = fmt::format("applied {} failed {} replay {} next {}/{} done {} frozen {}",
                                 result->applied, result->failed_precondition, result->replay.value,
                                 result->freeze_next.flow.value, result->freeze_next.position.seq,
                                 result->freeze_done, result->frozen);
  for (const AppendResult& one : result->appended)
    text += fmt::format(" {}:{}", static_cast<int>(one.status), one.seq);
  for (const GroupId group : result->groups) text += fmt::format(" g{}", group.value);
  return text;
}

std::string text_of(const std::vector<StoredEvent>& events) {
  std::string text;
  for (const StoredEvent& event : events) {
    text += fmt::format("{}@{}:{:x} ", event.position.seq, to_micros(event.recorded),
                        crc32c(event.record));
  }
  return text;
}

// The whole content of both, compared question by question.
class Comparison {
 public:
  Comparison(StoreBench& reference, StoreBench& tested) : a_(reference), b_(tested) {}

  void everything() {
    events();
    deliveries();
    flows();
    recovery();
    effects();
  }

 private:
  template <class Ask>
  void same(Ask ask) {
    const auto expected = ask(a_);
    const auto got = ask(b_);
    RC_ASSERT(got.ok() == expected.ok());
    if (expected.ok()) RC_ASSERT(*got == *expected);
  }
  template <class Ask>
  void same_text(Ask ask) {
    const std::string expected = ask(a_);
    RC_ASSERT(ask(b_) == expected);
  }

  void events() {
    same_text([](StoreBench& x) {
      return text_of(*x.run(x.store().events().read(kStream, 0, 1000, 1 << 20)));
    });
    same_text(
        [](StoreBench& x) { return text_of(*x.run(x.store().events().read(kStream, 5, 7, 300))); });
    for (const FlowId flow : {FlowId{1}, FlowId{2}}) {
      same_text([&](StoreBench& x) {
        return text_of(*x.run(x.store().events().read_kept(flow, {}, 1000)));
      });
      same_text([&](StoreBench& x) {
        return text_of(
            *x.run(x.store().events().fetch({ref(1, flow), ref(5, flow), ref(17, flow)})));
      });
    }
    for (int i = 0; i < 30; i += 3) {
      same([&](StoreBench& x) {
        return x.run(x.store().events().find(kStream, "/test", fmt::format("e{}", i)));
      });
      same([&](StoreBench& x) {
        return x.run(x.store().events().find_id(fmt::format("e{}", i), 20));
      });
      same(
          [&](StoreBench& x) { return x.run(x.store().events().seek(kStream, at(1000 + 8 * i))); });
    }
  }

  void deliveries() {
    same([](StoreBench& x) { return x.run(x.store().deliveries().list({.limit = 1000})); });
    for (const FlowId flow : {FlowId{1}, FlowId{2}}) {
      const DeliveryQuery queries[] = {
          {.flow = flow, .state = DeliveryState::quarantined},
          {.flow = flow, .group = GroupId{1}, .after = ref(5, flow), .limit = 3},
          {.flow = flow, .since = at(350), .until = at(500)},
          {.flow = flow, .key = "k1"}};
      for (const DeliveryQuery& query : queries) {
        same([&](StoreBench& x) { return x.run(x.store().deliveries().list(query)); });
        same([&](StoreBench& x) { return x.run(x.store().deliveries().count(query)); });
      }
      same([&](StoreBench& x) { return x.run(x.store().deliveries().holds(flow)); });
      same_text([&](StoreBench& x) {
        std::string text;
        for (const DueEntry& e : *x.run(x.store().deliveries().due(flow, place(3), 10))) {
          text += fmt::format("{}:{}:{}:{}:{}:{}:{}:{} ", e.ref.position.seq,
                              static_cast<int>(e.state), to_micros(e.due), e.replay.value,
                              e.interruptions, e.has_key, to_text(e.failure),
                              to_micros(e.deadline));
        }
        return text;
      });
      for (std::uint64_t seq = 0; seq < 40; ++seq) {
        same([&](StoreBench& x) {
          return x.run(x.store().deliveries().settlement(flow, place(seq)));
        });
      }
    }
  }

  void flows() {
    same_text([](StoreBench& x) {
      std::string text;
      for (const FlowRecord& f : *x.run(x.store().flows().flows())) {
        text += fmt::format("{}:{}:{}-{}/{} ", f.id.value, f.name, f.cursor.floor, f.cursor.mark,
                            f.cursor.settled.size());
      }
      for (const StreamRecord& s : *x.run(x.store().flows().streams())) {
        text += fmt::format("{}:{}-{} ", s.name, s.first_seq, s.next_seq);
      }
      for (const FlowCounts& c : *x.run(x.store().flows().counts())) {
        text += fmt::format("{}:{},{},{},{} ", c.flow.value, c.waiting, c.quarantined, c.held,
                            c.settled);
      }
      return text;
    });
  }

  void recovery() {
    for (const bool closed : {false, true}) {
      same([&](StoreBench& x) {
        auto groups = x.run(
            x.store().recovery().groups({.with_closed = closed, .with_keys = true}));
        for (Group& group : *groups)
          group.keys = 0;  // counted anew only when members joined or left properly
        return groups;
      });
    }
    same([](StoreBench& x) { return x.run(x.store().recovery().replays()); });
    for (std::uint32_t id = 1; id <= 5; ++id) {
      same([&](StoreBench& x) {
        return x.run(x.store().recovery().items(ReplayId{id}, {}, {}, 1000));
      });
      same([&](StoreBench& x) {
        return x.run(x.store().recovery().items(ReplayId{id}, ItemState::planned, ref(4), 3));
      });
    }
    for (std::uint64_t seq = 1; seq <= 24; ++seq) {
      same([&](StoreBench& x) { return x.run(x.store().recovery().replay_of(ref(seq))); });
    }
    same_text([](StoreBench& x) {
      std::string text;
      for (const AuditEntry& entry : *x.run(x.store().recovery().audit(1000, 1000)))
        text += fmt::format("{} ", entry.number);
      return text;
    });
  }

  void effects() {
    const EffectQuery queries[] = {{},
                                   {.state = EffectState::inDoubt, .limit = 3},
                                   {.state = EffectState::confirmed, .dependency = "tracker"},
                                   {.flow = FlowId{2}, .before = EffectId{9}}};
    for (const EffectQuery& query : queries)
      same([&](StoreBench& x) { return x.run(x.store().effects().list(query)); });
    for (int i = 0; i < 24; i += 5)
      same([&](StoreBench& x) { return x.run(x.store().effects().get(fmt::format("k{}", i))); });
    same([](StoreBench& x) { return x.run(x.store().effects().of({ref(3), ref(7), ref(8)})); });
    same([](StoreBench& x) { return x.run(x.store().effects().in_doubt()); });
    same([](StoreBench& x) { return x.run(x.store().effects().oldest_settled()); });
  }

  StoreBench& a_;
  StoreBench& b_;
};

rc::Gen<Step> any_step() {
  return rc::gen::build<Step>(rc::gen::set(&Step::kind, rc::gen::inRange<std::uint8_t>(0, kKinds)),
                              rc::gen::set(&Step::a, rc::gen::arbitrary<std::uint8_t>()),
                              rc::gen::set(&Step::b, rc::gen::arbitrary<std::uint8_t>()),
                              rc::gen::set(&Step::c, rc::gen::arbitrary<std::uint8_t>()),
                              rc::gen::set(&Step::starts_batch, rc::gen::arbitrary<bool>()));
}

}  // namespace

void equivalence_contract(const StoreFactory& reference, const StoreFactory& tested) {
  CHECK(rc::check("random batches leave equal stores", [&] {
    const auto steps = *rc::gen::scale(2.0, rc::gen::container<std::vector<Step>>(any_step()));
    StoreBench a(reference);
    StoreBench b(tested);
    for (StoreBench* bench : {&a, &b}) {
      bench->register_names();
      bench->commit({PutFlow{flow(FlowId{2}, "bill")}});
    }
    for (const WriteBatch& batch : batches_of(steps)) {
      const std::string expected = text_of(a.try_commit(batch));
      RC_ASSERT(text_of(b.try_commit(batch)) == expected);
    }
    Comparison(a, b).everything();
  }));
}

}  // namespace weir::ports::testing
