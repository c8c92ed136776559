// SPDX-License-Identifier: Apache-2.0
// The process dies at every logical step and at every store operation (failpoints), in a child of
// its own; the journal lies in memory that both share.
#if defined(WEIR_FAILPOINTS)
#include <algorithm>
#include <functional>
#include <new>
#include <span>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/failpoint.h"
#include "effect_story.h"
#include "life.h"
#include "replay_story.h"
#include "store/sqlite/check.h"
#include "store/sqlite/testing/temp_folder.h"

namespace weir::crash {
namespace {

constexpr int kCrashed = 137;
constexpr int kFailed = 5;

// In the order in which a delivery meets them.
const std::vector<std::string> kSteps = {"store.before_begin",        "store.before_apply",
                                         "store.before_commit",       "store.after_commit",
                                         "store.before_reply",        "store.before_checkpoint",
                                         "store.after_checkpoint",    "attempt.before_call",
                                         "attempt.after_call",        "settle.before_commit",
                                         "settle.after_commit",       "attempt.in_flight",
                                         "quarantine.decided",        "hold.moved",
                                         "operator.before_settle",    "operator.after_settle",
                                         "replay.after_freeze_chunk", "replay.before_claim",
                                         "replay.after_claim",        "replay.settled",
                                         "replay.after_state",        "retention.before_trim",
                                         "retention.after_trim"};

// Of these, the ones by which a replay goes on.
const std::vector<std::string> kReplaySteps = {"store.before_commit",       "store.after_commit",
                                               "store.before_reply",        "attempt.in_flight",
                                               "attempt.after_call",        "settle.before_commit",
                                               "settle.after_commit",       "quarantine.decided",
                                               "operator.before_settle",    "operator.after_settle",
                                               "replay.after_freeze_chunk", "replay.before_claim",
                                               "replay.after_claim",        "replay.settled",
                                               "replay.after_state",        "retention.after_trim"};

// Of an effect, in its order.
const std::vector<std::string> kEffectSteps = {"effect.before_intent", "effect.intent_durable",
                                               "effect.answered", "effect.result_durable"};

// Steps of a start that finds something to recover.
const std::vector<std::string> kRecoverySteps = {"recover.rows_read", "recover.interrupted",
                                                 "recover.ended", "store.open_checkpoint",
                                                 "store.opened"};

class SharedJournal {
 public:
  SharedJournal()
      : memory_(mmap(nullptr, sizeof(Journal), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                     -1, 0)) {
    REQUIRE(memory_ != MAP_FAILED);
    journal_ = new (memory_) Journal();
  }
  ~SharedJournal() { munmap(memory_, sizeof(Journal)); }
  SharedJournal(const SharedJournal&) = delete;
  SharedJournal& operator=(const SharedJournal&) = delete;
  Journal& operator*() { return *journal_; }

 private:
  void* memory_;
  Journal* journal_;
};

// Exit code of a process of its own.
int in_child(const std::function<int()>& work) {
  const pid_t pid = fork();
  if (pid == 0) {
    try {
      _exit(work());
    } catch (...) {  // a test that failed in here must not go on as a second one
      _exit(kFailed);
    }
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// A life that goes on with the script and meets the failpoints.
int live_in_child(Site& site, const std::string& failpoints) {
  return in_child([&] {
    if (!configure_failpoints(failpoints).ok()) return 3;
    Life life(site);
    return run_script(life, site.journal) ? 0 : 4;
  });
}

void finish(Site& site, std::uint32_t crashes) {
  {
    Life life(site);
    REQUIRE(run_script(life, site.journal));
    for (const Step& step : site.story.last_steps) REQUIRE(step(life, site.journal));
    site.story.check(life, site.journal, crashes);
  }
  CHECK(store::sqlite::check(site.folder)->sound());
}

// Every passage up to the third, then every stride-th, until the scenario ends without a crash.
int crash_at(const Story& story, const std::string& step, int stride) {
  for (int passage = 1, crashes = 0;; passage += passage < 3 ? 1 : stride, ++crashes) {
    CAPTURE(step);
    CAPTURE(passage);
    SharedJournal journal;
    const store::sqlite::testing::TempFolder folder;
    Site site{.journal = *journal, .story = story, .folder = folder.path()};
    const int code = live_in_child(site, fmt::format("{}=crash@{}", step, passage));
    if (code == 0) return crashes;
    REQUIRE(code == kCrashed);
    finish(site, 1);
  }
}

// The second one at its first passage after that, be it in recovery or later. How many crashes that
// were.
std::uint32_t crash_twice(const Story& story, const std::string& first, int passage,
                          const std::string& second) {
  CAPTURE(first);
  CAPTURE(passage);
  CAPTURE(second);
  SharedJournal journal;
  const store::sqlite::testing::TempFolder folder;
  Site site{.journal = *journal, .story = story, .folder = folder.path()};
  std::uint32_t crashes = 0;
  for (const std::string& points :
       {fmt::format("{}=crash@{}", first, passage), second + "=crash@1"}) {
    const int code = live_in_child(site, points);
    REQUIRE((code == 0 || code == kCrashed));
    crashes += code == kCrashed ? 1 : 0;
  }
  finish(site, crashes);
  return crashes;
}

// Every two steps, in both orders; the first at its first, second or third passage.
void crash_at_pairs(const Story& story, std::vector<std::string> steps) {
  steps.insert(steps.end(), kRecoverySteps.begin(), kRecoverySteps.end());
  std::uint32_t twice = 0;
  for (std::size_t first = 0; first < steps.size(); ++first) {
    for (std::size_t second = 0; second < steps.size(); ++second) {
      const int passage = 1 + static_cast<int>((first + second) % 3);
      twice += crash_twice(story, steps[first], passage, steps[second]) == 2 ? 1 : 0;
    }
  }
  MESSAGE("pairs of ", steps.size(), " steps at both of which it crashed: ", twice);
  CHECK(twice > steps.size() * steps.size() / 2);
}

void crash_everywhere(const Story& story, const std::vector<std::string>& steps, int stride) {
  int crashes = 0;
  for (const std::string& step : steps) {
    const int of_it = crash_at(story, step, stride);
    CAPTURE(step);
    CHECK(of_it > 0);  // the failpoint is there
    crashes += of_it;
  }
  MESSAGE("crashes: ", crashes);
}

}  // namespace

TEST_CASE("crash at every logical step and every store operation: every promise is kept") {
  crash_everywhere(delivery_story(), kSteps, 31);
}

TEST_CASE(
    "crash at every step of replays: each goes on, or stays halted, as it was; each delivery is "
    "settled once per release; the sums are right") {
  crash_everywhere(replay_story(), kReplaySteps, 67);
}

TEST_CASE(
    "crash at every step of an effect: no payment twice, none reported failed that happened, every "
    "doubt listed") {
  crash_everywhere(effect_story(), kEffectSteps, 5);
}

TEST_CASE("crash at two steps of effects") {
  for (const std::string& first : kEffectSteps) {
    for (const std::string& second : kEffectSteps) {
      CAPTURE(first);
      CAPTURE(second);
      SharedJournal journal;
      const store::sqlite::testing::TempFolder folder;
      Site site{.journal = *journal, .story = effect_story(), .folder = folder.path()};
      REQUIRE(live_in_child(site, first + "=crash@5") == kCrashed);
      REQUIRE(live_in_child(site, second + "=crash@1") == kCrashed);
      finish(site, 2);
    }
  }
}

TEST_CASE("crash during the recovery from a crash: every promise is kept") {
  const std::vector<std::pair<const Story*, std::string>> firsts = {
      {&delivery_story(), "attempt.after_call=crash@4"},
      {&delivery_story(), "attempt.after_call=crash@11"},
      {&delivery_story(), "attempt.after_call=crash@19"},
      {&replay_story(), "attempt.in_flight=crash@6"},
      {&replay_story(), "attempt.after_call=crash@48"}};
  for (const std::string& step : kRecoverySteps) {
    for (const auto& [story, first] : firsts) {
      CAPTURE(step);
      CAPTURE(first);
      SharedJournal journal;
      const store::sqlite::testing::TempFolder folder;
      Site site{.journal = *journal, .story = *story, .folder = folder.path()};
      REQUIRE(live_in_child(site, first) == kCrashed);
      REQUIRE(live_in_child(site, step + "=crash@1") == kCrashed);
      finish(site, 2);
    }
  }
}

TEST_CASE(
    "an event that keeps killing the process is quarantined after its interruptions cap, and its "
    "neighbours are delivered") {
  constexpr std::uint32_t kPoison = 13;
  SharedJournal shared;
  Journal& journal = *shared;
  const store::sqlite::testing::TempFolder folder;
  Site site{.journal = journal, .folder = folder.path()};
  journal.fixed = true;
  journal.poison = kPoison;
  std::uint32_t deaths = 0;
  const auto work = [&] {
    Life life(site);
    if (!journal.acknowledged[1] && !publish_all(life, journal)) return 4;
    life.settle(std::chrono::seconds{60});
    return life.dead() ? 4 : 0;
  };
  int code = 0;
  while ((code = in_child(work)) == kPoisoned) REQUIRE(++deaths < 10);
  REQUIRE(code == 0);
  CHECK(deaths == delivery_story().config.flows[0].policy.retry.max_interruptions);
  Life life(site);
  const auto rows = life.wait(
      life.store().deliveries().list({.state = DeliveryState::quarantined}));
  REQUIRE((rows && rows->ok()));
  std::uint32_t poisoned = 0;
  for (const Delivery& row : **rows) {
    if (row.failure != FailureClass::interrupted) continue;
    ++poisoned;
    CHECK(row.event_id == fmt::format("e{}", kPoison));
    CHECK(row.attempts == 0);
    CHECK(row.history.back().note.find("retry.maxInterruptions") == 0);
  }
  CHECK(poisoned == 1);
  const auto calls = std::span(journal.calls).first(journal.count);
  for (std::uint32_t event = 1; event <= kEvents; ++event) {
    CAPTURE(event);
    const bool behind = event >= kPoison && key_of(event) == key_of(kPoison);
    if (behind || ending_of(FlowName::orders, event) != Ending::applied) continue;
    CHECK(std::ranges::any_of(calls, [&](const Call& call) {
      return call.flow == FlowName::orders && call.event == event && call.status == 200;
    }));
  }
}

TEST_CASE("everywhere: crash at every passage of every step" * doctest::skip()) {
  crash_everywhere(delivery_story(), kSteps, 1);
  crash_everywhere(replay_story(), kReplaySteps, 1);
  crash_everywhere(effect_story(), kEffectSteps, 1);
}

TEST_CASE("everywhere: crash at any two steps of a delivery" * doctest::skip()) {
  crash_at_pairs(delivery_story(), kSteps);
}

TEST_CASE("everywhere: crash at any two steps of a replay" * doctest::skip()) {
  crash_at_pairs(replay_story(), kReplaySteps);
}

TEST_CASE("everywhere: crash at any two steps of an effect" * doctest::skip()) {
  std::vector<std::string> steps = kEffectSteps;
  steps.insert(steps.end(), kSteps.begin(), kSteps.begin() + 12);
  crash_at_pairs(effect_story(), steps);
}

}  // namespace weir::crash
#endif
