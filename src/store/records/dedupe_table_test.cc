// SPDX-License-Identifier: Apache-2.0
#include "store/records/dedupe_table.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "base/rng.h"

namespace weir::store {
namespace {

WallTime second(std::int64_t seconds) { return WallTime{std::chrono::seconds{seconds}}; }

TEST_CASE("dedupe table: proposes every place of a hash, newest first") {
  DedupeTable table({.max_entries = 1000});
  const std::uint64_t hash = 0x123456789abcdef0;
  table.add(hash, 1, second(1));
  table.add(hash + (1ull << 40), 2, second(1));
  table.add(hash, 3, second(1));
  CHECK(table.find(hash) == std::vector<std::uint64_t>{3, 1});
  CHECK(table.find(hash + (1ull << 40)) == std::vector<std::uint64_t>{2});
  CHECK(table.find(7).empty());
}

TEST_CASE("dedupe table: proposes at most 16 places") {
  DedupeTable table({.max_entries = 1000});
  for (std::uint64_t seq = 1; seq <= 50; ++seq) table.add(99ull << 40, seq, second(1));
  CHECK(table.find(99ull << 40).size() == DedupeTable::kCandidatesMax);
}

TEST_CASE("dedupe table: remembers everything within the window and below the bound") {
  CHECK(rc::check([] {
    const auto max = *rc::gen::inRange<std::uint64_t>(1, 400);
    const auto step = *rc::gen::inRange<std::int64_t>(0, 30);
    const std::int64_t window = 100;
    DedupeTable table({.window = std::chrono::seconds{window}, .max_entries = max});
    Rng rng(*rc::gen::arbitrary<std::uint64_t>());
    std::vector<std::pair<std::uint64_t, std::int64_t>> added;
    for (std::uint64_t seq = 1; seq <= 500; ++seq) {
      const std::int64_t now = static_cast<std::int64_t>(seq) * step;
      added.emplace_back(rng.next(), now);
      table.add(added.back().first, seq, second(now));
      RC_ASSERT(table.size() <= max);
    }
    const std::int64_t now = added.back().second;
    const std::size_t surely = max < 16 ? 1 : max - 2 * (max / DedupeTable::kGenerations) - 8;
    for (std::size_t back = 0; back < added.size() && back < surely; ++back) {
      const auto& [hash, when] = added[added.size() - 1 - back];
      if (now - when >= window) break;
      const auto& found = table.find(hash);
      RC_ASSERT(std::ranges::find(found, added.size() - back) != found.end());
    }
    RC_ASSERT(table.oldest_seq() >= 1);
  }));
}

TEST_CASE("dedupe table: forgets what left the window") {
  DedupeTable table({.window = std::chrono::seconds{80}, .max_entries = 1000});
  for (std::uint64_t seq = 1; seq <= 300; ++seq)
    table.add(seq << 40, seq, second(static_cast<std::int64_t>(seq)));
  CHECK(table.size() < 110);
  CHECK(table.oldest_seq() > 190);
  CHECK(table.find(5ull << 40).empty());
}

TEST_CASE("dedupe table: a million entries take about ten bytes each") {
  DedupeTable table({.max_entries = 1'000'000});
  Rng rng(1);
  for (std::uint64_t seq = 1; seq <= 1'500'000; ++seq) table.add(rng.next(), seq, second(1));
  CHECK(table.size() <= 1'000'000);
  CHECK(table.size() > 870'000);
  CHECK(table.bytes() < table.size() * 12);
}

TEST_CASE("dedupe table: goes on after a rolled back commit") {
  DedupeTable table({.max_entries = 80});
  for (std::uint64_t seq = 1; seq <= 55; ++seq) table.add(seq << 40, seq, second(1));
  table.rewind(31);
  table.add(1000ull << 40, 31, second(1));
  CHECK(table.find(30ull << 40) == std::vector<std::uint64_t>{30});
  CHECK(table.find(1000ull << 40) == std::vector<std::uint64_t>{31});
}

TEST_CASE("dedupe table: no entries allowed, none kept") {
  DedupeTable table({.max_entries = 0});
  table.add(1ull << 40, 1, second(1));
  CHECK(table.size() == 0);
  CHECK(table.find(1ull << 40).empty());
}

}  // namespace
}  // namespace weir::store
