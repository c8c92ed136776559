// SPDX-License-Identifier: Apache-2.0
#include "store/records/packing.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace weir::store {
namespace {

TEST_CASE("settlements survive packing") {
  CHECK(rc::check([] {
    const auto gaps = *rc::gen::container<std::vector<std::uint32_t>>(
        rc::gen::inRange<std::uint32_t>(1, 1000));
    std::vector<Settlement> list;
    std::uint64_t seq = *rc::gen::inRange<std::uint64_t>(0, 1ull << 39);
    for (const std::uint32_t gap : gaps) {
      seq += gap > 500 ? 1 : gap;
      list.push_back({seq, *rc::gen::arbitrary<std::uint16_t>(),
                      *rc::gen::arbitrary<std::uint32_t>(), *rc::gen::arbitrary<std::uint32_t>()});
    }
    const auto unpacked = unpack_settlements(pack_settlements(list));
    RC_ASSERT(unpacked.ok());
    RC_ASSERT(*unpacked == list);
  }));
}

TEST_CASE("a run of ordinary settlements takes a few bytes each") {
  std::vector<Settlement> list;
  for (std::uint64_t seq = 1'000'000; seq < 1'000'100; ++seq) list.push_back({seq, 204, 1500, 1});
  CHECK(pack_settlements(list).size() <= 310);
}

TEST_CASE("cursors survive packing") {
  CHECK(rc::check([] {
    const auto steps = *rc::gen::container<std::vector<std::pair<std::uint16_t, std::uint16_t>>>(
        rc::gen::arbitrary<std::pair<std::uint16_t, std::uint16_t>>());
    Cursor cursor{
        .floor = *rc::gen::inRange<std::uint64_t>(1, 1ull << 30), .mark = 0, .settled = {}};
    std::uint64_t seq = cursor.floor;
    for (const auto& [gap, length] : steps) {
      cursor.settled.push_back({seq + gap, seq + gap + length + 1});
      seq = cursor.settled.back().last;
    }
    cursor.mark = seq + *rc::gen::inRange<std::uint64_t>(0, 1000);
    RC_ASSERT(is_valid(cursor));
    const auto unpacked = unpack_cursor(pack_cursor(cursor));
    RC_ASSERT(unpacked.ok());
    RC_ASSERT(*unpacked == cursor);
  }));
}

TEST_CASE("truncated blobs are damage, not a crash") {
  const std::string settlements = pack_settlements(
      std::vector<Settlement>{{5, 204, 1, 1}, {9, 500, 70'000, 3}});
  const std::string cursor = pack_cursor({.floor = 5, .mark = 90, .settled = {{7, 9}, {20, 30}}});
  for (std::size_t size = 0; size < settlements.size(); ++size) {
    CHECK(!unpack_settlements(std::string_view(settlements).substr(0, size)).ok());
  }
  for (std::size_t size = 0; size < cursor.size(); ++size) {
    CHECK(!unpack_cursor(std::string_view(cursor).substr(0, size)).ok());
  }
}

// Fuzz corpus packing/settlement-twice.
TEST_CASE("settlements that could not have been packed are damage") {
  const Settlement first{.seq = 7, .status = 204, .duration_us = 1};
  const auto packed = [&](std::uint64_t seq) {
    return pack_settlements(std::vector<Settlement>{first, {.seq = seq, .status = 204}});
  };
  CHECK(unpack_settlements(packed(8)).ok());
  CHECK_FALSE(unpack_settlements(packed(7)).ok());
  CHECK_FALSE(unpack_settlements(packed(6)).ok());  // the distance wraps round
  CHECK_FALSE(unpack_settlements(packed(kSeqMax + 1)).ok());
  const std::string status_above_its_type("\x01\x05\x80\x80\x04\x00", 6);
  CHECK_FALSE(unpack_settlements(status_above_its_type).ok());
}

TEST_CASE("which cursors are valid") {
  CHECK(is_valid({.floor = 1, .mark = 1, .settled = {}}));
  CHECK(is_valid({.floor = 1, .mark = 9, .settled = {{1, 3}, {3, 9}}}));
  CHECK(!is_valid({.floor = 5, .mark = 4, .settled = {}}));
  CHECK(!is_valid({.floor = 5, .mark = 9, .settled = {{4, 6}}}));
  CHECK(!is_valid({.floor = 5, .mark = 9, .settled = {{6, 6}}}));
  CHECK(!is_valid({.floor = 5, .mark = 9, .settled = {{6, 8}, {7, 9}}}));
  CHECK(is_valid({.floor = 5, .mark = 5, .settled = {{6, 10}}}));  // after a clean stop
}

}  // namespace
}  // namespace weir::store
