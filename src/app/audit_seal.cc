// SPDX-License-Identifier: Apache-2.0
#include "app/audit_seal.h"

#include <filesystem>

#include "wire/audit_chain.h"
#include "wire/audit_lines.h"

namespace weir::app {
namespace {

constexpr Duration kPatience = std::chrono::minutes{10};  // between two words about one fault
constexpr std::size_t kSealPage = 500;

}  // namespace

AuditSeal::AuditSeal(ports::Store& store, async::Clock& clock, telemetry::Log& log,
                     std::string folder)
    : store_(store), clock_(clock), log_(log), folder_(std::move(folder)) {}

async::Task<Result<>> AuditSeal::start() {
  if (folder_.empty()) co_return Result<>{};
  auto keys = audit_keys(folder_);
  if (!keys.ok()) co_return keys.error();
  keys_ = std::move(*keys);
  const ports::StoreStatus status = co_await store_.info();
  incarnation_ = status.incarnation;
  const std::string path = folder_ + std::string(kAuditCheckpointsFile);
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    auto read = read_checkpoints(path);
    if (!read.ok()) co_return read.error();
    checkpoints_ = std::move(read->checkpoints);
    // Only what this key has signed is worth anything here; what was signed before a restore may
    // not have been in the backup.
    std::erase_if(checkpoints_, [this](const AuditCheckpoint& one) {
      return one.key != keys_.public_key || one.incarnation != incarnation_ ||
             !wire::is_genuine(one);
    });
    if (checkpoints_.size() > kKept)
      checkpoints_.erase(checkpoints_.begin(), checkpoints_.end() - kKept);
  }
  // Somebody may have changed it while it was closed.
  const auto there = co_await still_there();
  if (!there.ok()) log_.error(clock_.wall(), "audit.broken", there.error());
  co_await look(false);
  co_return Result<>{};
}

// What was signed last is in the store as it was signed.
async::Task<Result<>> AuditSeal::still_there() {
  if (checkpoints_.empty()) co_return Result<>{};
  const AuditCheckpoint& newest = checkpoints_.back();
  auto entries = co_await store_.recovery().audit(newest.head.number + 1, 1);
  if (!entries.ok()) co_return entries.error();
  const bool there = !entries->empty() && entries->front().number == newest.head.number &&
                     entries->front().hash == newest.head.hash;
  if (there) co_return Result<>{};
  co_return Error{Code::audit_broken,
                  fmt::format("entry {}, signed at {}, is not in the audit any more",
                              newest.head.number, to_rfc3339(newest.at)),
                  fmt::format("weir audit verify --data {}", folder_)};
}

// Walks from the newest checkpoint on: one signs what one has read.
async::Task<Result<AuditHead>> AuditSeal::verified_head() {
  auto there = co_await still_there();
  if (!there.ok()) co_return there.error();
  auto newest = co_await store_.recovery().audit(INT64_MAX, 1);
  if (!newest.ok()) co_return newest.error();
  const std::uint64_t end = newest->empty() ? 0 : newest->front().number;
  wire::AuditVerifier verifier(checkpoints_.empty() ? AuditHead{} : checkpoints_.back().head);
  for (std::uint64_t after = verifier.head().number; after < end; after += kSealPage) {
    auto entries = co_await store_.recovery().audit(std::min(after + kSealPage, end) + 1,
                                                    kSealPage);
    if (!entries.ok()) co_return entries.error();
    for (auto entry = entries->rbegin(); entry != entries->rend(); ++entry)
      if (entry->number > after) verifier.next(*entry);
  }
  verifier.finish();
  if (verifier.sound()) co_return verifier.head();
  co_return Error{Code::audit_broken, verifier.problems().front().text,
                  fmt::format("weir audit verify --data {}", folder_)};
}

async::Task<> AuditSeal::look(bool last) {
  if (keys_.seed.empty()) co_return;
  const MonoTime now = clock_.mono();
  const AuditHead signed_head = checkpoints_.empty() ? AuditHead{} : checkpoints_.back().head;
  auto newest = co_await store_.recovery().audit(INT64_MAX, 1);
  // One that cannot be read is no reason to be silent: the walk says so.
  if (newest.ok() && newest->empty()) co_return;
  const std::uint64_t end = newest.ok() ? newest->front().number : 0;
  const bool due = last || now >= due_ || end >= signed_head.number + kEntriesMax;
  if (end == signed_head.number || !due || (now < try_again_ && !last)) co_return;
  auto head = co_await verified_head();
  Result<> done = head.ok() ? Result<>{} : Result<>{head.error()};
  AuditCheckpoint checkpoint;
  if (done.ok()) {
    checkpoint = wire::sign_checkpoint(
        keys_.seed, {.head = *head, .at = clock_.wall(), .incarnation = incarnation_});
    done = append_checkpoint(folder_, checkpoint);
  }
  if (!done.ok()) {
    try_again_ = now + kPatience;
    log_.error(clock_.wall(), "audit.unsigned", done.error());
    co_return;
  }
  due_ = now + kEvery;
  tell(checkpoint);
  if (checkpoints_.size() == kKept) checkpoints_.erase(checkpoints_.begin());
  checkpoints_.push_back(std::move(checkpoint));
}

void AuditSeal::tell(const AuditCheckpoint& checkpoint) {
  log_.write(checkpoint.at, telemetry::Level::info, "audit.checkpoint",
             fmt::format("signed up to entry {}", checkpoint.head.number),
             [&](wire::JsonWriter& json) {
               json.key("signed");
               wire::write_checkpoint(json, checkpoint);
             });
}

api::AuditSeals AuditSeal::view() const { return {keys_.public_key, checkpoints_}; }

}  // namespace weir::app
