// SPDX-License-Identifier: Apache-2.0
#include "model/position.h"

#include <unordered_set>

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace weir {
namespace {

Position any_position() {
  return {StreamId{*rc::gen::inRange<std::uint32_t>(1, kStreamIdMax + 1)},
          *rc::gen::arbitrary<std::uint8_t>(),
          *rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(1, 1000),
                          rc::gen::inRange<std::uint64_t>(1, kSeqMax + 1), rc::gen::just(kSeqMax))};
}

TEST_CASE("a packed position is positive, unpacks to itself and sorts like it") {
  CHECK(rc::check("pack", [] {
    const Position a = any_position(), b = any_position();
    RC_ASSERT(a.pack() > 0);
    RC_ASSERT(Position::unpack(a.pack()) == a);
    RC_ASSERT((a <=> b) == (a.pack() <=> b.pack()));
  }));
}

TEST_CASE("the fields stand where the format says") {
  CHECK((Position{StreamId{1}, 0, 1}).pack() == (1ll << 48) + 1);
  CHECK((Position{StreamId{1}, 2, 3}).pack() == (1ll << 48) + (2ll << 40) + 3);
  CHECK((Position{StreamId{kStreamIdMax}, 255, kSeqMax}).pack() == 0x7FFF'FFFF'FFFF'FFFF);
}

TEST_CASE("neighbours do not share a hash") {
  std::unordered_set<std::size_t> hashes;
  for (std::uint64_t seq = 1; seq <= 10'000; ++seq) {
    hashes.insert(std::hash<Position>{}(Position{StreamId{1}, 0, seq}));
  }
  CHECK(hashes.size() == 10'000);
}

}  // namespace
}  // namespace weir
