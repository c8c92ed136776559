// SPDX-License-Identifier: Apache-2.0
// The process dies at every logical step and at every store operation (failpoints), in a child of
// its own; the journal lies in memory that both share.
#if defined(WEIR_FAILPOINTS)
#include <new>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/failpoint.h"
#include "life.h"
#include "promises.h"
#include "scenario.h"
#include "store/sqlite/check.h"
#include "store/sqlite/testing/temp_folder.h"

namespace weir::crash {
namespace {

constexpr int kCrashed = 137;

// In the order in which a delivery meets them.
constexpr const char* kSteps[] = {"store.before_begin",        "store.before_apply",
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

// Steps of a start that finds something to recover.
constexpr const char* kRecoverySteps[] = {"recover.rows_read", "recover.interrupted",
                                          "recover.ended", "store.open_checkpoint", "store.opened"};

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

// Exit code of a life that goes on with the script and meets the failpoints.
int live_in_child(Site& site, const std::string& failpoints) {
  const pid_t pid = fork();
  if (pid == 0) {
    if (!configure_failpoints(failpoints).ok()) _exit(3);
    bool ended = false;
    {
      Life life(site);
      ended = run_script(life, site.journal);
    }
    _exit(ended ? 0 : 4);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void finish(Site& site, std::uint32_t crashes) {
  {
    Life life(site);
    REQUIRE(run_script(life, site.journal));
    check_promises(life, site.journal, crashes);
  }
  CHECK(store::sqlite::check(site.folder)->sound());
}

// Every passage up to the third, then every stride-th, until the scenario ends without a crash.
int crash_at(const std::string& step, int stride) {
  for (int passage = 1, crashes = 0;; passage += passage < 3 ? 1 : stride, ++crashes) {
    CAPTURE(step);
    CAPTURE(passage);
    SharedJournal journal;
    const store::sqlite::testing::TempFolder folder;
    Site site{.journal = *journal, .folder = folder.path()};
    const int code = live_in_child(site, fmt::format("{}=crash@{}", step, passage));
    if (code == 0) return crashes;
    REQUIRE(code == kCrashed);
    finish(site, 1);
  }
}

void crash_everywhere(int stride) {
  int crashes = 0;
  for (const std::string step : kSteps) {
    const int of_it = crash_at(step, stride);
    CAPTURE(step);
    CHECK(of_it > 0);  // the failpoint is there
    crashes += of_it;
  }
  MESSAGE("crashes: ", crashes);
}

}  // namespace

TEST_CASE("crash at every logical step and every store operation: every promise is kept") {
  crash_everywhere(31);
}

TEST_CASE("crash during the recovery from a crash: every promise is kept") {
  for (const std::string step : kRecoverySteps) {
    for (const int first : {4, 11, 19}) {
      CAPTURE(step);
      CAPTURE(first);
      SharedJournal journal;
      const store::sqlite::testing::TempFolder folder;
      Site site{.journal = *journal, .folder = folder.path()};
      REQUIRE(live_in_child(site, fmt::format("attempt.after_call=crash@{}", first)) == kCrashed);
      REQUIRE(live_in_child(site, step + "=crash@1") == kCrashed);
      finish(site, 2);
    }
  }
}

TEST_CASE("everywhere: crash at every passage of every step" * doctest::skip()) {
  crash_everywhere(1);
}

}  // namespace weir::crash
#endif
