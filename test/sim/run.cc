// SPDX-License-Identifier: Apache-2.0
#include "run.h"

#include <algorithm>

#include <fmt/format.h>

#include "checks.h"
#include "commands.h"
#include "process.h"
#include "sim_config.h"
#include "store/sqlite/check.h"
#include "world.h"

namespace weir::engine_sim {
namespace {

using engine_test::Process;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr std::uint64_t kPage = 4096;
// A store without one waits for room, and answers nobody.
constexpr std::uint64_t kReserve = 4 << 20;
constexpr int kStartsMax = 20;
constexpr int kRoundsMax = 12;
constexpr int kByHandFrom = 3;
// As settle_one() counts them.
constexpr std::uint64_t kResolve = 0;
constexpr std::uint64_t kRestore = 3;

class Run {
 public:
  Run(const Plan& plan, bool prints, const Check& check)
      : plan_(plan), check_(check), journal_(prints), world_(plan_, journal_) {
    vfs_.seed(plan.seed);
  }

  Report go();

 private:
  store::sqlite::testing::FaultDisk& disk() { return vfs_.disk(); }
  bool goes_on() const { return !journal_.violation; }
  bool is_down() { return !process_ || process_->dead() || disk().is_off(); }
  void play();
  void bring_up();
  void come_down();
  void note_crash();
  void start_process();
  void pass_until(MonoTime at);
  void make_room();
  void carry_out(const Move& move);
  void do_to_machine(const Move& move);
  void do_to_process(const Move& move);
  void publish_range(const Move& move);
  void reload(std::uint64_t variant);
  void heal();
  bool comes_to_rest();
  void settle_rest(int round);
  void replay_all(const std::string& flow);
  void end();

  const Plan plan_;
  const Check& check_;
  Journal journal_;
  store::sqlite::testing::FaultVfs vfs_;
  World world_;
  Seen seen_;
  Config config_;
  std::unique_ptr<Process> process_;
  std::optional<MoveKind> armed_;    // what may end the process
  std::uint64_t again_ = 0;          // operations of the disk until it ends once more
  std::optional<MonoTime> room_at_;  // the disk is full until then
};

Report Run::go() {
  config_ = config_of(plan_.seed, 0);
  try {
    play();
  } catch (const std::exception& error) {
    journal_.fail(error.what());
  }
  if (process_) process_->end();
  process_.reset();
  journal_.counts["crashes"] = journal_.crashes;
  journal_.counts["lives"] = journal_.life;
  return {.hash = journal_.trace.hash(),
          .violation = journal_.violation,
          .sometimes = journal_.sometimes,
          .counts = journal_.counts};
}

void Run::play() {
  const MonoTime begin = journal_.now;
  for (const Move& move : plan_.moves) {
    bring_up();
    pass_until(begin + move.at);
    bring_up();
    if (!goes_on()) return;
    journal_.note(to_text(move));
    carry_out(move);
    if (!is_down()) look(*process_, journal_, seen_);
    if (check_) check_(journal_);
    if (!goes_on()) return;
  }
  heal();
  if (!goes_on()) return;
  if (comes_to_rest()) end();
}

void Run::bring_up() {
  if (process_ && is_down()) come_down();
  for (int starts = 0; !process_ && goes_on(); ++starts) {
    if (starts == kStartsMax) return journal_.fail("it does not start any more");
    start_process();
    if (is_down()) {
      journal_.sometimes.reached(Rare::crashInRecovery);
      come_down();
    }
  }
}

void Run::start_process() {
  ++journal_.life;
  const engine_test::Machine machine{.now = journal_.now,
                                     .wall_ahead = journal_.wall_ahead,
                                     .vfs = &vfs_,
                                     .reserve_bytes = kReserve,
                                     .delays = die(plan_.seed, "delays", journal_.life).next() | 1};
  process_ = std::make_unique<Process>(machine, world_);
  world_.serve(*process_, config_);
  process_->start(config_);
  journal_.note(fmt::format("life {} {}", journal_.life, is_down() ? "ends at once" : "begins"));
  if (is_down()) return;
  check_start(*process_, journal_);
  const std::map<ReplayId, Replay> before = seen_.replays;
  look(*process_, journal_, seen_);
  for (const auto& [id, replay] : seen_.replays) {
    const auto known = before.find(id);
    if (known != before.end() && is_running(known->second.state) && is_running(replay.state))
      journal_.sometimes.reached(Rare::replayOverRestart);
  }
  if (!journal_.pending.empty())
    process_->spawn(
        publish(*process_, journal_, {journal_.pending.begin(), journal_.pending.end()}, false));
}

void Run::note_crash() {
  const bool running = std::ranges::any_of(journal_.calls, &Call::running);
  if (running) journal_.sometimes.reached(Rare::crashWithCallsRunning);
  const bool replays = std::ranges::any_of(
      seen_.replays, [](const auto& one) { return is_running(one.second.state); });
  if (replays) journal_.sometimes.reached(Rare::crashInReplay);
  if (!journal_.pending.empty()) journal_.sometimes.reached(Rare::crashWithPublishPending);
  ++journal_.crashes;
}

void Run::come_down() {
  const bool off = disk().is_off();
  const std::optional<Error> failure = process_->failure();
  const Code code = failure ? failure->code : Code::store_failed;
  note_crash();
  journal_.note(fmt::format("life {} ends: {}", journal_.life,
                            off ? "no power" : describe(failure->code).name));
  if (!off && !armed_ && code != Code::store_full)
    journal_.fail("it ended without a fault: " + to_text(*failure));
  if (code != Code::store_failed && code != Code::store_unreadable && code != Code::store_full)
    journal_.fail("a fault of the disk is told as " + to_text(*failure));
  process_->end();
  process_.reset();
  Rng rng = die(plan_.seed, "end", journal_.life);
  // A disk that fails may belong to a machine that fails, too.
  const bool cut = off ? armed_ == MoveKind::powerCut : rng.below(2) == 0;
  if (cut && disk().has_unsynced()) journal_.sometimes.reached(Rare::cutWithUnsynced);
  if (cut && armed_ == MoveKind::syncError) journal_.sometimes.reached(Rare::syncFailedThenCut);
  if (!off && armed_ == MoveKind::readError) journal_.sometimes.reached(Rare::readFailed);
  if (cut)
    disk().power_cut(rng.below(1 << 30));
  else
    disk().restart();
  if (code == Code::store_full) make_room();
  if (again_ == 0) armed_.reset();
  if (again_ != 0) disk().cut_at(std::exchange(again_, 0));
}

void Run::make_room() {
  disk().set_capacity(~0ull);
  room_at_.reset();
  journal_.full = false;
}

void Run::pass_until(MonoTime at) {
  if (!process_) return;
  if (room_at_ && *room_at_ <= at) {
    process_->pass(*room_at_ - process_->clock().mono());
    make_room();
  }
  process_->pass(at - process_->clock().mono());
}

void Run::carry_out(const Move& move) {
  switch (move.kind) {
    case MoveKind::publish:
    case MoveKind::republish: return publish_range(move);
    case MoveKind::mood: journal_.bad_percent = static_cast<std::uint32_t>(move.a); return;
    case MoveKind::powerCut:
    case MoveKind::kill:
    case MoveKind::syncError:
    case MoveKind::writeError:
    case MoveKind::readError:
    case MoveKind::fullDisk:
    case MoveKind::clockJump: return do_to_machine(move);
    default: return do_to_process(move);
  }
}

void Run::publish_range(const Move& move) {
  std::vector<std::uint32_t> events;
  for (std::uint64_t event = move.a; event <= move.b; ++event)
    events.push_back(static_cast<std::uint32_t>(event));
  const bool other = move.kind == MoveKind::republish && move.c == 1;
  if (!events.empty()) process_->spawn(publish(*process_, journal_, std::move(events), other));
}

void Run::do_to_machine(const Move& move) {
  ++journal_.counts[fmt::format("fault.{}", name_of(move.kind))];
  switch (move.kind) {
    case MoveKind::powerCut:
    case MoveKind::kill:
      disk().cut_at(disk().operations() + move.a);
      again_ = move.b;
      break;
    case MoveKind::syncError: disk().fail_sync(move.a, move.b == 1); break;
    case MoveKind::writeError: disk().fail_at(disk().operations() + 1 + move.a); break;
    case MoveKind::readError: disk().fail_read(1 + move.a); break;
    case MoveKind::fullDisk:
      // Just after the last time its reserve may not be back yet.
      disk().set_capacity(disk().used() + move.a * kPage + (disk().holds_reserve() ? 0 : kReserve));
      room_at_ = process_->clock().mono() + milliseconds{move.b};
      return;
    default: {
      const bool back = move.b % 2 == 1;
      journal_.wall_ahead += minutes{move.a} * (back ? -1 : 1);
      for (const auto& [ref, row] : seen_.rows) {
        if (back && row.state == DeliveryState::waiting)
          journal_.sometimes.reached(Rare::clockBack);
      }
      return;
    }
  }
  armed_ = move.kind;
}

void Run::do_to_process(const Move& move) {
  Process& process = *process_;
  switch (move.kind) {
    case MoveKind::restart:
      ++journal_.counts["fault.restart"];
      process.end();
      process_.reset();
      return bring_up();
    case MoveKind::reload: return reload(move.a % 6);
    case MoveKind::planReplay: return process.spawn(plan_replay(process, journal_, move));
    case MoveKind::tellReplay: return process.spawn(tell_replay(process, journal_, move));
    case MoveKind::settleOne: return process.spawn(settle_one(process, journal_, move));
    case MoveKind::settleDoubt: return process.spawn(settle_doubt(process, journal_, move.a));
    case MoveKind::pauseFlow: return process.spawn(pause_flow(process, journal_, move));
    case MoveKind::breaker: return process.spawn(control_breaker(process, journal_, move));
    case MoveKind::trim: return process.spawn(trim(process, journal_));
    default: return process.spawn(explain(process, journal_, move));
  }
}

void Run::reload(std::uint64_t variant) {
  ++journal_.counts["reloads"];
  config_ = config_of(plan_.seed, variant);
  if (std::ranges::any_of(journal_.calls, &Call::running))
    journal_.sometimes.reached(Rare::reloadWithCallsRunning);
  if (config_.flows.size() < 3) journal_.sometimes.reached(Rare::flowRetired);
  world_.expect(config_);
  const auto applied = process_->wait(process_->engine().apply(config_));
  if (!applied || process_->dead()) return;
  if (applied->ok()) return world_.take(config_);
  if (applied->error().code != Code::store_failed && applied->error().code != Code::store_full)
    journal_.fail("a reload failed: " + to_text(applied->error()));
}

void Run::heal() {
  journal_.note("no more faults");
  journal_.healed = true;
  journal_.bad_percent = 0;
  again_ = 0;
  if (process_ && is_down()) come_down();
  disk().restart();
  make_room();
  armed_.reset();
  bring_up();
  if (goes_on()) reload(0);
}

void Run::replay_all(const std::string& flow) {
  ReplayPlan plan{.selection = {.flow = flow}, .reason = "the rest", .actor = kActor};
  plan.canary.count = 0;
  plan.rate = {.start_per_second = 50, .max_per_second = 50, .concurrency = 4};
  plan.stop.failure_share = {0};
  plan.stop.same_fingerprint = {0};
  plan.stop.breaker_open = {0};
  const auto made = process_->wait(process_->replays().plan(plan));
  if (!made || !made->ok()) return;
  (void)process_->wait(process_->replays().command((*made)->id, ReplayState::running,
                                                   {.actor = kActor, .reason = "go"}));
}

// What an operator does about what is left.
void Run::settle_rest(int round) {
  Process& process = *process_;
  for (std::uint64_t i = 0; i < 3; ++i) {
    process.spawn(pause_flow(process, journal_, {.a = i, .b = 1}));
    process.spawn(settle_doubt(process, journal_, 0));
  }
  process.spawn(control_breaker(process, journal_, {.a = 2}));
  // Tell the open ones: go on; whatever still stands afterwards is aborted.
  for (std::uint64_t i = 0; i < 4; ++i)
    process.spawn(tell_replay(process, journal_, {.a = i, .b = round % 2 == 0 ? 0ull : 3ull}));
  process.settle(minutes{1});
  for (const char* flow : kFlows) replay_all(flow);
  const bool by_hand = round >= kByHandFrom;
  for (std::uint64_t i = 0; i < kEventsMax; ++i) {
    const Move move{.a = by_hand ? 0 : i, .b = by_hand ? kResolve : kRestore};
    process.spawn(settle_one(process, journal_, move));
    if (by_hand) process.settle(milliseconds{100});  // the next of its key may be due, too
  }
}

bool Run::comes_to_rest() {
  const WallTime healed = process_->clock().wall();
  process_->pass(minutes{5});
  check_goes_on(*process_, journal_, healed);
  std::string left;
  for (int round = 0; round < kRoundsMax && goes_on(); ++round) {
    Process& process = *process_;
    if (!journal_.pending.empty())
      process.spawn(
          publish(process, journal_, {journal_.pending.begin(), journal_.pending.end()}, false));
    process.pass(minutes{2});
    look(process, journal_, seen_);
    left = what_is_left(process, journal_);
    if (journal_.pending.empty() && left.empty()) return true;
    settle_rest(round);
    process.pass(minutes{2});
    if (is_down()) {
      journal_.fail("it ended without a fault");
      break;
    }
  }
  journal_.fail("it does not come to rest" + left);
  return false;
}

void Run::end() {
  check_end(*process_, journal_);
  process_->pass(hours{2});
  process_->spawn(trim(*process_, journal_));
  process_->settle(minutes{1});
  look(*process_, journal_, seen_);
  process_->end();
  process_.reset();
  const auto report = store::sqlite::check("/disk", vfs_.name());
  if (!report.ok()) return journal_.fail(to_text(report.error()));
  for (const std::string& problem : report->problems) journal_.fail("store check: " + problem);
}

}  // namespace

Report run(const Plan& plan, bool prints, const Check& check) {
  return Run(plan, prints, check).go();
}

}  // namespace weir::engine_sim
