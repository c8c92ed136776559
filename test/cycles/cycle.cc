// SPDX-License-Identifier: Apache-2.0
#include "cycle.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/rng.h"
#include "desk.h"
#include "holdings.h"
#include "store/sqlite/check.h"

namespace weir::cycles {
namespace {

using store::sqlite::testing::DiskOperation;
using store::sqlite::testing::FaultDisk;

constexpr std::uint64_t kOpeningOperations = 20;  // about so many are needed to open and checkpoint
constexpr std::uint64_t kCommitOperations = 6;

// The first lines in which two texts differ.
std::string difference(std::string_view expected, std::string_view got) {
  const auto [a, b] = std::ranges::mismatch(expected, got);
  const auto at = static_cast<std::size_t>(a - expected.begin());
  const std::size_t start = at == 0 ? 0 : expected.rfind('\n', at - 1) + 1;
  const auto line = [&](std::string_view text) {
    return text.substr(std::min(start, text.size()), text.find('\n', at) - start);
  };
  return fmt::format("expected '{}', found '{}'", line(expected), line(got));
}

}  // namespace

std::uint64_t Cycles::chance(std::uint64_t salt, std::uint64_t below) const {
  Rng rng(seed_ * 1'000'003 + done_ * 101 + salt);
  return rng.below(below);
}

void Cycles::perform(FaultDisk& disk, const DiskOperation& operation) const {
  const bool sync = operation.kind == DiskOperation::Kind::sync ||
                    operation.kind == DiskOperation::Kind::sync_folder;
  if (!(lying_ && sync)) (void)disk.perform(operation);
}

void Cycles::skip() { perform(before_, recording_.operations[done_++]); }

std::optional<std::string> Cycles::next(Counters& counters) {
  cut();
  if (chance(1, 3) == 0) cut_while_opening(counters);
  std::optional<std::string> wrong = first_recovery(counters);
  if (!wrong) wrong = second_recovery(counters);
  if (!wrong) skip();
  return wrong;
}

// In the middle of the operation: a write may be torn, everything else is not done.
void Cycles::cut() {
  FaultDisk& disk = vfs_.disk();
  disk.copy_files(before_);
  disk.cut_at(1);
  (void)disk.perform(recording_.operations[done_]);
  disk.power_cut(chance(2, 1u << 20));
}

void Cycles::cut_while_opening(Counters& counters) {
  FaultDisk& disk = vfs_.disk();
  disk.cut_at(1 + chance(3, kOpeningOperations));
  Desk desk;
  {
    const auto store = store::sqlite::open(
        options_on(vfs_, desk.executor(), model_.features(), recording_.keyring));
  }
  if (disk.is_off()) ++counters["cycles.cuts_while_opening"];
  disk.power_cut(chance(4, 1u << 20));
}

// A second cut comes while the probe is committed, or right after its acknowledgement.
Result<Cycles::Opened> Cycles::open_and_probe(bool cut_in_commit) {
  FaultDisk& disk = vfs_.disk();
  Opened opened;
  Desk desk;
  WEIR_TRY(const auto store, store::sqlite::open(options_on(
                                 vfs_, desk.executor(), model_.features(), recording_.keyring)));
  WEIR_TRY(opened.holdings, desk.run(holdings_of(*store)));
  opened.unsound = check_soundness();
  if (cut_in_commit) disk.cut_at(disk.operations() + 1 + chance(5, kCommitOperations));
  const auto receipt = desk.run(store->writer().commit(model_.probe()));
  if (!receipt.ok() && !disk.is_off()) return receipt.error();
  opened.acknowledged = receipt.ok();
  if (receipt.ok()) opened.appended = text_of(receipt->appended);
  disk.cut_at(disk.operations() + 1);  // not even closing finds the disk in order
  return opened;
}

std::optional<std::string> Cycles::find_prefix(const std::string& holdings) {
  const std::size_t least = recording_.acknowledged_before(operation());
  for (const std::size_t batches : {least, least + 1}) {
    prefix_ = batches;
    if (batches <= model_.batches().size() && model_.after(batches) == holdings)
      return std::nullopt;
  }
  return fmt::format("{} batches were acknowledged; {}", least,
                     difference(model_.after(least), holdings));
}

std::optional<std::string> Cycles::first_recovery(Counters& counters) {
  const auto opened = open_and_probe(chance(6, 2) == 0);
  if (!opened.ok()) return "does not open and serve: " + to_text(opened.error());
  if (auto wrong = find_prefix(opened->holdings)) return wrong;
  if (opened->unsound) return opened->unsound;
  probed_ = opened->acknowledged;
  const auto& expected = model_.after_probe(prefix_).appended;
  if (probed_ && opened->appended != expected)
    return fmt::format("a probe is answered '{}', not '{}'", opened->appended, expected);
  ++counters["cycles.power_cuts"];
  return std::nullopt;
}

Result<std::string> Cycles::open_and_read() {
  Desk desk;
  WEIR_TRY(const auto store, store::sqlite::open(options_on(
                                 vfs_, desk.executor(), model_.features(), recording_.keyring)));
  return desk.run(holdings_of(*store));
}

std::optional<std::string> Cycles::second_recovery(Counters& counters) {
  vfs_.disk().power_cut(chance(7, 1u << 20));
  const auto holdings = open_and_read();
  if (!holdings.ok()) return "does not open a second time: " + to_text(holdings.error());
  const std::string& expected = model_.after_probe(prefix_).holdings;
  const bool whole = *holdings == expected;
  const bool nothing = !probed_ && *holdings == model_.after(prefix_);
  if (!whole && !nothing) return "after a second cut: " + difference(expected, *holdings);
  if (auto wrong = check_soundness()) return wrong;
  ++counters["cycles.power_cuts"];
  return std::nullopt;
}

std::optional<std::string> Cycles::check_soundness() {
  const auto report = store::sqlite::check(kFolder, vfs_.name(), recording_.keyring);
  if (!report.ok()) return "cannot be checked: " + to_text(report.error());
  if (!report->sound()) return "is unsound: " + report->problems.front();
  return std::nullopt;
}

}  // namespace weir::cycles
