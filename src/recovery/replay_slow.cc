// SPDX-License-Identifier: Apache-2.0
// A run that is told to be slower, or that makes itself so.
#include "recovery/references.h"
#include "recovery/replay_run.h"

namespace weir::recovery {
namespace {

void say_slower(Replay& replay, const policy::Ramp& ramp, const std::string& reason,
                const std::string& actor) {
  replay.rate_now = ramp.unlimited();
  replay.state_reason = fmt::format("slowed to {:.3g}/s by {}", ramp.rate(), actor);
  if (!reason.empty()) replay.state_reason += ": " + reason;
}

}  // namespace

async::Task<Result<>> ReplayRun::slow(std::string reason, std::string actor) {
  const auto refused = [this](std::string why) {
    return Error{Code::wrong_state, fmt::format("replay {} {}", to_text(replay_.id), why),
                 "weir replay pause stops it for a while"};
  };
  if (replay_.state != ReplayState::running)
    co_return refused(fmt::format("is {}", to_text(replay_.state)));
  policy::Ramp slower = ramp_;
  if (!slower.slow_down(clock_.mono())) co_return refused("is as slow as it can be");
  Replay changed = replay_;
  say_slower(changed, slower, reason, actor);
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.preconditions.emplace_back(ports::ReplayIs{replay_.id, ReplayState::running});
  batch.mutations.emplace_back(slower_entry(ramp_.rate(), slower, reason, actor));
  batch.mutations.emplace_back(ports::PutReplay{std::move(changed)});
  auto receipt = co_await store_.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  if (!receipt->applied)
    co_return Error{Code::conflict, "the replay changed in between", "look at it again"};
  (void)ramp_.slow_down(clock_.mono());
  if (replay_.state == ReplayState::running) say_slower(replay_, ramp_, reason, actor);
  dirty_ = true;
  wake_.notify();
  co_return Result<>{};
}

ports::AddAudit ReplayRun::slower_entry(double before, const policy::Ramp& slower,
                                        std::string reason, std::string actor) const {
  return {AuditEntry{.at = clock_.wall(),
                     .actor = std::move(actor),
                     .action = "replay.slow",
                     .target = to_text(replay_.id),
                     .reason = std::move(reason),
                     .detail = fmt::format("from {:.3g}/s to {:.3g}/s", before, slower.rate())}};
}

// By itself it is slower at once, and the entry is written right after.
async::Task<Result<>> ReplayRun::note_slower(double before, std::string reason) {
  say_slower(replay_, ramp_, reason, "weir");
  dirty_ = true;
  wake_.notify();
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(slower_entry(before, ramp_, std::move(reason), "weir"));
  auto receipt = co_await store_.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  co_return Result<>{};
}

}  // namespace weir::recovery
