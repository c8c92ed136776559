// SPDX-License-Identifier: Apache-2.0
// A plan that starts by itself: it was let to wait until its preconditions hold.
#include "recovery/references.h"
#include "recovery/replay_run.h"

namespace weir::recovery {
namespace {
constexpr Duration kAskEvery = std::chrono::seconds{5};
}  // namespace

async::Task<Result<>> ReplayRun::begin_to_wait(std::string failing, Duration wait, Doer doer) {
  const WallTime until = clock_.wall() + wait;
  // It starts by itself: whoever let it wait wants it as if they had started it.
  if (!doer.subject.empty()) policy::add_maker(replay_.plan.makers, doer.subject);
  next_ask_ = clock_.mono() + kAskEvery;
  co_return co_await set_wait(
      until, "waits: " + failing,
      AuditEntry{.actor = std::move(doer.actor),
                 .action = "replay.wait",
                 .reason = std::move(doer.reason),
                 .detail = fmt::format("until {}; precondition: {}", to_rfc3339(until), failing)});
}

async::Task<Result<>> ReplayRun::end_wait(std::string why, std::string action, std::string reason,
                                          std::string actor) {
  co_return co_await set_wait({}, why,
                              AuditEntry{.actor = std::move(actor),
                                         .action = std::move(action),
                                         .reason = std::move(reason),
                                         .detail = why});
}

// Known here before it is durable: a checkpoint in between must not write what was before.
async::Task<Result<>> ReplayRun::set_wait(WallTime until, std::string why, AuditEntry entry) {
  const WallTime waited = std::exchange(replay_.waits_until, until);
  const std::string said = std::exchange(replay_.state_reason, std::move(why));
  entry.at = clock_.wall();
  entry.target = to_text(replay_.id);
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.preconditions.emplace_back(ports::ReplayIs{replay_.id, ReplayState::planned});
  batch.mutations.emplace_back(ports::PutReplay{replay_});
  batch.mutations.emplace_back(ports::AddAudit{std::move(entry)});
  auto receipt = co_await store_.writer().commit(std::move(batch));
  wake_.notify();
  if (receipt.ok() && receipt->applied) co_return Result<>{};
  if (replay_.state == ReplayState::planned) {  // it has not started meanwhile
    replay_.waits_until = waited;
    replay_.state_reason = said;
  }
  if (!receipt.ok()) co_return receipt.error();
  co_return Error{Code::conflict, "the replay changed in between", "look at it again"};
}

async::Task<Result<bool>> ReplayRun::wait_on() {
  if (!is_waiting()) co_return false;
  if (clock_.wall() >= replay_.waits_until) {
    const std::string why = "its preconditions did not hold in time; " + replay_.state_reason;
    auto ended = co_await end_wait(why, "replay.wait_over", "", "weir");
    if (!ended.ok()) co_return ended.error();
    co_return false;
  }
  if (clock_.mono() >= next_ask_) {
    next_ask_ = clock_.mono() + kAskEvery;
    auto failing = co_await ask_preconditions();
    if (!failing.ok()) co_return failing.error();
    if (!is_waiting()) co_return true;  // an operator was quicker
    if (failing->empty()) {
      auto started = co_await begin(true, {.actor = "weir", .reason = "its preconditions hold"});
      if (!started.ok() && started.error().code == Code::approval_required) {
        auto ended = co_await end_wait(started.error().detail, "replay.wait_over", "", "weir");
        if (!ended.ok()) co_return ended.error();
        co_return false;
      }
      if (!started.ok()) co_return started.error();
      co_return true;
    }
    replay_.state_reason = "waits: " + *failing;
  }
  wake_at(std::min(next_ask_, clock_.mono() + (replay_.waits_until - clock_.wall())));
  co_return false;
}

}  // namespace weir::recovery
