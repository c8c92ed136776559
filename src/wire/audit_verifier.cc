// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "wire/audit_chain.h"

namespace weir::wire {
namespace {

constexpr std::size_t kSwapsMax = 64;

std::string range_of(std::uint64_t first, std::uint64_t last) {
  return first == last ? fmt::format("entry {} is", first)
                       : fmt::format("entries {} to {} are", first, last);
}

// The hash covers milliseconds: anything below them was not written by a store.
bool is_as_written(std::string_view previous, const AuditEntry& entry) {
  return entry.at == std::chrono::floor<std::chrono::milliseconds>(entry.at) &&
         entry.hash == audit_hash(previous, entry);
}

}  // namespace

AuditVerifier::AuditVerifier(AuditHead from, std::vector<AuditCheckpoint> checkpoints)
    : last_(std::move(from)), checkpoints_(std::move(checkpoints)) {
  std::ranges::sort(checkpoints_, {}, [](const AuditCheckpoint& one) { return one.head.number; });
  while (next_checkpoint_ < checkpoints_.size() &&
         checkpoints_[next_checkpoint_].head.number < last_.number)
    ++next_checkpoint_;
  meet_checkpoints();
}

void AuditVerifier::problem(std::uint64_t number, std::string text) {
  ++total_;
  if (problems_.size() < kProblemsMax) problems_.push_back({number, std::move(text)});
}

// Says what is missing before `number`; false if its place is behind already.
bool AuditVerifier::in_order(std::uint64_t number) {
  if (number <= last_.number) {
    problem(number, number == last_.number
                        ? fmt::format("entry {} is there twice", number)
                        : fmt::format("entry {} comes after entry {}: it was moved or repeated",
                                      number, last_.number));
    return false;
  }
  if (number > last_.number + 1) {
    problem(last_.number + 1, fmt::format("{} missing", range_of(last_.number + 1, number - 1)));
    last_readable_ = false;
  }
  return true;
}

void AuditVerifier::next(const AuditEntry& entry) {
  ++entries_;
  if (!in_order(entry.number)) return;
  // What follows a gap can be checked by the entry after it only.
  if (last_readable_ && !is_as_written(last_.hash, entry)) changed(entry);
  last_ = {entry.number, entry.hash};
  last_readable_ = true;
  meet_checkpoints();
}

void AuditVerifier::unreadable(std::uint64_t number, std::string_view why) {
  ++entries_;
  if (number == 0) return problem(last_.number + 1, std::string(why));
  if (!in_order(number)) return;
  problem(number, fmt::format("entry {} cannot be read: {}", number, why));
  last_ = {number, ""};
  last_readable_ = false;
  meet_checkpoints();
}

void AuditVerifier::changed(const AuditEntry& entry) {
  // Of two that changed places each has the other one's words and hash.
  for (const Misplaced& earlier : changed_) {
    AuditEntry back = entry;
    back.number = earlier.entry.number;
    if (!is_as_written(earlier.previous, back)) continue;
    ++total_;
    const auto told = std::ranges::find(problems_, earlier.entry.number, &AuditProblem::number);
    if (told != problems_.end())
      told->text = fmt::format("entries {} and {} have changed places", earlier.entry.number,
                               entry.number);
    return;
  }
  problem(entry.number,
          fmt::format("entry {} is not what was recorded: its hash does not follow from {} and its "
                      "content",
                      entry.number,
                      last_.number == 0 ? std::string("the beginning")
                                        : fmt::format("entry {}", last_.number)));
  if (changed_.size() < kSwapsMax) changed_.push_back({last_.hash, entry});
}

void AuditVerifier::meet_checkpoints() {
  for (; next_checkpoint_ < checkpoints_.size(); ++next_checkpoint_) {
    const AuditCheckpoint& checkpoint = checkpoints_[next_checkpoint_];
    if (checkpoint.head.number > last_.number) return;
    if (checkpoint.head.number < last_.number || !last_readable_) continue;  // missing: was said
    ++met_;
    if (checkpoint.head.hash == last_.hash) continue;
    problem(last_.number,
            fmt::format("entry {} is not the one that was signed at {}: the chain was written anew "
                        "from an earlier entry on",
                        last_.number, to_rfc3339(checkpoint.at)));
  }
}

void AuditVerifier::finish(const std::optional<AuditHead>& kept) {
  const std::uint64_t end = last_.number;
  std::string cut = end == 0 ? "the chain is empty"
                             : fmt::format("the chain ends at entry {}", end);
  if (next_checkpoint_ < checkpoints_.size()) {
    const AuditCheckpoint& newest = checkpoints_.back();
    problem(end + 1, fmt::format("{}, and a checkpoint signed at {} says {}: {} cut off", cut,
                                 to_rfc3339(newest.at), newest.head.number,
                                 range_of(end + 1, newest.head.number)));
  } else if (kept && kept->number > end) {
    problem(end + 1, fmt::format("{}, and the store has counted to {}: {} cut off", cut,
                                 kept->number, range_of(end + 1, kept->number)));
  }
  if (!kept || kept->number > end || *kept == last_ || !last_readable_) return;
  problem(end, kept->number == 0
                   ? std::string("what the store keeps of the end of the chain is gone")
               : kept->number < end
                   ? fmt::format("the chain ends at entry {}, and the store has counted to {}: {} "
                                 "added from outside",
                                 end, kept->number, range_of(kept->number + 1, end))
                   : fmt::format("entry {} is not the newest one that the store has written", end));
}

}  // namespace weir::wire
