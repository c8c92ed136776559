// SPDX-License-Identifier: Apache-2.0
// What a disk was asked to do, done again on another one, gives the same files at every point: what
// is visible, and what survives a power cut.
#include <doctest/doctest.h>

#include "store/sqlite/testing/fault_disk.h"

namespace weir::store::sqlite::testing {
namespace {

std::string bytes_of(const FaultDisk& disk, const std::string& path) {
  return std::string(disk.read(path, 0, 1 << 20));
}

void write_and_lose(FaultDisk& disk) {
  if (disk.create("/log") != DiskResult::ok) return;
  disk.write("/log", 0, std::string(3 * FaultDisk::kSector, 'a'));
  disk.sync("/log", true);
  disk.write("/log", FaultDisk::kSector, std::string(FaultDisk::kSector, 'b'));
  disk.write("/log", 5 * FaultDisk::kSector, "after a hole");
  disk.truncate("/log", 4 * FaultDisk::kSector);
  disk.create("/other");
  disk.remove("/log", true);
  disk.create("/log");
}

TEST_CASE("a recorded disk can be made again, one operation after the other") {
  std::vector<DiskOperation> operations;
  FaultDisk recorded;
  recorded.record(&operations);
  write_and_lose(recorded);
  CHECK(operations.size() == recorded.operations());

  FaultDisk again;
  for (std::size_t done = 0; done < operations.size(); ++done) {
    CAPTURE(done);
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      FaultDisk expected;
      expected.cut_at(done + 1);
      write_and_lose(expected);
      expected.power_cut(seed);
      FaultDisk copy;
      copy.copy_files(again);
      copy.cut_at(1);
      CHECK(copy.perform(operations[done]) == DiskResult::failed);
      copy.power_cut(seed);
      CHECK(bytes_of(copy, "/log") == bytes_of(expected, "/log"));
      CHECK(copy.exists("/other") == expected.exists("/other"));
    }
    CHECK(again.perform(operations[done]) == DiskResult::ok);
  }
  CHECK(bytes_of(again, "/log") == bytes_of(recorded, "/log"));
}

TEST_CASE("what failed is not recorded") {
  std::vector<DiskOperation> operations;
  FaultDisk disk;
  disk.create("/log");
  disk.record(&operations);
  disk.fail_at(2);
  CHECK(disk.write("/log", 0, "x") == DiskResult::failed);
  disk.fail_sync(1, false);
  CHECK(disk.sync("/log", false) == DiskResult::failed);
  disk.set_capacity(0);
  CHECK(disk.write("/log", 0, "x") == DiskResult::full);
  CHECK(operations.empty());
}

}  // namespace
}  // namespace weir::store::sqlite::testing
