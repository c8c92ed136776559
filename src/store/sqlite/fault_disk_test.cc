// SPDX-License-Identifier: Apache-2.0
// The disk under all power cuts: what it may leave, it does leave.
#include "store/sqlite/testing/fault_disk.h"

#include <set>
#include <string>

#include <doctest/doctest.h>

namespace weir::store::sqlite::testing {
namespace {

constexpr std::size_t kSectors = 4;
constexpr std::uint64_t kSeeds = 10'000;

std::string sectors_of(char byte) { return std::string(kSectors * FaultDisk::kSector, byte); }

// One letter per sector of the file after "a" was synced, "b" and then "c" were written, and the
// power went; "?" for a sector of several letters.
std::string left_after_cut(std::uint64_t seed) {
  FaultDisk disk;
  disk.create("f");
  disk.write("f", 0, sectors_of('a'));
  disk.sync("f", true);
  disk.write("f", 0, sectors_of('b'));
  disk.write("f", 0, sectors_of('c'));
  disk.power_cut(seed);
  std::string letters;
  for (std::size_t sector = 0; sector < kSectors; ++sector) {
    const auto bytes = disk.read("f", sector * FaultDisk::kSector, FaultDisk::kSector);
    const bool whole = bytes == std::string(FaultDisk::kSector, bytes.front());
    letters += whole ? bytes.front() : '?';
  }
  return letters;
}

TEST_CASE(
    "a power cut leaves every mix of what was in a sector since the last sync, and no other") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) seen.insert(left_after_cut(seed));
  CHECK(seen.size() == 81);  // all words of four letters: any order, any tear between sectors
  for (const std::string& letters : seen)
    CHECK(letters.find_first_not_of("abc") == std::string::npos);
}

TEST_CASE("what was synced survives every power cut") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    FaultDisk disk;
    disk.create("f");
    disk.write("f", 0, sectors_of('a'));
    disk.write("f", 100, "middle");
    disk.sync("f", true);
    disk.power_cut(seed);
    std::string expected = sectors_of('a');
    expected.replace(100, 6, "middle");
    CHECK(disk.read("f", 0, expected.size() + 1) == expected);
  }
}

}  // namespace
}  // namespace weir::store::sqlite::testing
