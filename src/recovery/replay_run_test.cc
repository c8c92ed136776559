// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "recovery/replays.h"
#include "recovery/testing/explain_desk.h"
#include "store/memory/memory_store.h"

namespace weir::recovery::testing {
namespace {

constexpr std::uint64_t kMembers = 3;

// A run of three deliveries that the last process left, which knew of all of them as under way.
struct Resumed {
  ExplainDesk desk{[](async::Executor executor) { return store::memory::open(executor); }};
  std::unique_ptr<ReplayRun> run;
  std::optional<bool> over;

  explicit Resumed(ReplayState state = ReplayState::running) {
    Replay replay = ports::testing::replay(Selection{.flow = "sync-issues"}, kNow);
    replay.id = desk.bench.commit({ports::CreateReplay{replay}}, ports::Lane::operate).replay;
    replay.state = state;
    replay.counts.sent = kMembers;
    for (std::uint64_t seq = 1; seq <= kMembers; ++seq) {
      desk.bench.commit({ports::PutDelivery{ports::testing::delivery(seq, DeliveryState::ready)}});
      desk.bench.commit({ports::AddReplayItems{replay.id, {ref(seq)}}}, ports::Lane::operate);
      set_item(replay.id, seq, ItemState::claimed);
    }
    desk.bench.commit({ports::PutReplay{replay}});
    run = std::make_unique<ReplayRun>(desk.bench.executor(), desk.bench.store(), desk.clock,
                                      desk.live, replay);
  }

  void set_item(ReplayId id, std::uint64_t seq, ItemState state) {
    desk.bench.commit({ports::SetReplayItem{id, ref(seq), state}});
  }
  // Durable in the store, as the settling of a delivery writes it.
  void settle(std::uint64_t seq) { set_item(run->replay().id, seq, ItemState::succeeded); }
  // What the run hears of it.
  void tell(std::uint64_t seq, DecisionKind kind = DecisionKind::done) {
    const Decision decision{.kind = kind};
    run->on_settled({.ref = ref(seq), .replay = run->replay().id, .decision = &decision});
  }
  Replay stored() {
    return **desk.bench.run(desk.bench.store().recovery().replay(run->replay().id));
  }
  void start() { desk.bench.start(finish(), over); }
  void wait_over() {
    desk.bench.wait([this] { return over.has_value(); });
  }

 private:
  async::Task<bool> finish() {
    co_await run->run();
    co_return true;
  }
};

TEST_CASE("a result that is told while the items are counted is counted once") {
  Resumed resumed;
  SUBCASE("its item was read before it was settled") {
    resumed.start();
    for (std::uint64_t seq = 1; seq <= kMembers; ++seq) resumed.tell(seq);
  }
  SUBCASE("its item was read after it was settled") {
    for (std::uint64_t seq = 1; seq <= kMembers; ++seq) resumed.settle(seq);
    resumed.start();
    for (std::uint64_t seq = 1; seq <= kMembers; ++seq) resumed.tell(seq);
  }
  SUBCASE("some of each, and one that is told after the count") {
    resumed.settle(1);
    resumed.start();
    resumed.tell(1);
    resumed.tell(2);
    resumed.settle(2);  // by now the items are counted
    resumed.tell(1);
    resumed.tell(3);
  }
  resumed.wait_over();
  const Replay& replay = resumed.run->replay();
  CHECK(replay.state == ReplayState::completed);
  CHECK(replay.counts.sent == kMembers);
  CHECK(replay.counts.succeeded == kMembers);
  CHECK(replay.counts.in_flight() == 0);
}

TEST_CASE("a run that has sent everything completes, whatever came back: it bars nobody") {
  Resumed resumed;
  resumed.start();
  for (std::uint64_t seq = 1; seq <= kMembers; ++seq) resumed.tell(seq, DecisionKind::quarantine);
  resumed.wait_over();
  CHECK(resumed.run->replay().state == ReplayState::completed);
  CHECK(resumed.run->replay().counts.failed_again == kMembers);
}

TEST_CASE("what its handler or a failure mode gave up did not succeed") {
  Resumed resumed;
  resumed.start();
  resumed.tell(1);
  for (const std::uint64_t seq : {2, 3}) resumed.tell(seq, DecisionKind::discard);
  resumed.wait_over();
  CHECK(resumed.run->replay().counts.succeeded == 1);
  CHECK(resumed.run->replay().counts.failed_again == 2);
  CHECK(resumed.run->replay().counts.discarded == 2);
}

TEST_CASE("what was on its way in a flow that was removed is skipped: nobody waits for it") {
  Resumed resumed;
  resumed.desk.bench.commit({ports::RemoveFlow{kFlow}});
  resumed.start();
  resumed.wait_over();
  CHECK(resumed.run->replay().state == ReplayState::completed);
  CHECK(resumed.run->replay().counts.skipped == kMembers);
  CHECK(resumed.run->replay().counts.sent == 0);
}

TEST_CASE("a flow that is removed while its deliveries are under way keeps no run waiting") {
  Resumed resumed;
  resumed.start();
  resumed.settle(1);  // by now the items are counted
  resumed.tell(1);
  resumed.desk.bench.commit({ports::RemoveFlow{kFlow}});
  resumed.desk.records.clear();
  resumed.run->look_again();
  resumed.wait_over();
  CHECK(resumed.run->replay().state == ReplayState::completed);
  CHECK(resumed.run->replay().counts.succeeded == 1);
  CHECK(resumed.run->replay().counts.skipped == kMembers - 1);
}

TEST_CASE("an aborted run whose last results were not written down yet writes them down") {
  Resumed resumed(ReplayState::aborted);
  for (std::uint64_t seq = 1; seq <= kMembers; ++seq) resumed.settle(seq);
  resumed.start();
  resumed.wait_over();
  CHECK(resumed.stored().state == ReplayState::aborted);
  CHECK(resumed.stored().counts.succeeded == kMembers);
}

TEST_CASE("what an operator overruled stays overruled in the next process") {
  ExplainDesk desk{[](async::Executor executor) { return store::memory::open(executor); }};
  Replay replay = ports::testing::replay(Selection{.flow = "sync-issues"}, kNow);
  replay.state = ReplayState::running;
  replay.plan.stop.duration = {60};
  replay.counts = {
      .planned = 20, .sent = 12, .succeeded = 2, .failed_again = 9, .same_fingerprint = 9};
  replay.overruled = replay.counts;
  replay.started_at = ago(3600);
  replay.resumed_at = ago(5);
  ReplayRun run(desk.bench.executor(), desk.bench.store(), desk.clock, desk.live, replay);
  for (const policy::StopReading& reading : run.stop_readings()) {
    CAPTURE(reading.name);
    CHECK_FALSE(reading.reached);
  }
}

TEST_CASE("an aborted run counts what it has sent until all of it has ended") {
  Resumed resumed;
  resumed.start();
  resumed.settle(1);  // by now the items are counted
  std::optional<Result<>> aborted;
  resumed.desk.bench.start(resumed.run->command(ReplayState::aborted, "enough", "me"), aborted);
  resumed.tell(1);
  resumed.desk.bench.wait([&] { return aborted.has_value(); });
  CHECK(aborted->ok());
  CHECK(resumed.stored().state == ReplayState::aborted);
  CHECK_FALSE(resumed.over.has_value());  // two are under way
  resumed.tell(2);
  resumed.tell(3);
  resumed.wait_over();
  CHECK(resumed.stored().state == ReplayState::aborted);
  CHECK(resumed.stored().state_reason == "enough");
  CHECK(resumed.stored().counts.succeeded == kMembers);
  CHECK(resumed.stored().counts.in_flight() == 0);
}

async::Task<bool> drained(Replays& replays) {
  co_await replays.drain();
  co_return true;
}

// Found by the engine simulation, seed 17: an operator's word that a slow commit held up.
TEST_CASE("a run that is started while the process drains is left to the next process") {
  ExplainDesk desk{[](async::Executor executor) { return store::memory::open(executor); }};
  desk.publish(1);
  desk.quarantine(1, ago(60));
  ReplayId id;
  {
    Replays replays(desk.bench.executor(), desk.bench.store(), desk.clock, desk.live);
    ReplayPlan plan{.selection = {.flow = "sync-issues"}, .reason = "fixed", .actor = "local:ann"};
    id = desk.bench.run(replays.plan(plan))->id;
    CHECK(desk.bench.run(drained(replays)));
    const auto begun = desk.bench.run(replays.command(id, ReplayState::running, "go", "local:ann"));
    CHECK(begun.ok());
    CHECK(desk.bench.run(drained(replays)));  // nothing was begun that it would wait for
  }
  CHECK(is_running((*desk.bench.run(desk.bench.store().recovery().replay(id)))->state));
}

}  // namespace
}  // namespace weir::recovery::testing
