// SPDX-License-Identifier: Apache-2.0
#include "store/records/envelope.h"

#include <doctest/doctest.h>

namespace weir::store {
namespace {

const Position kPlace{StreamId{3}, 0, 77};

std::string sealed_event() {
  std::string sealed;
  seal_event(kPlace,
             {.recorded = from_micros(123), .dedupe_hash = 0xfeedull << 40, .record = "hello"},
             sealed);
  return sealed;
}

TEST_CASE("an event envelope gives back what was sealed") {
  const std::string sealed = sealed_event();
  CHECK(sealed.size() == kEnvelopeBytes + 5);
  const auto opened = open_event(kPlace, sealed);
  REQUIRE(opened.ok());
  CHECK(opened->record == "hello");
  CHECK(opened->recorded == from_micros(123));
  CHECK(opened->dedupe_hash == 0xfeedull << 40);
}

TEST_CASE("every flipped bit, every truncation and another place are found") {
  const std::string sealed = sealed_event();
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string damaged = sealed;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto opened = open_event(kPlace, damaged);
    REQUIRE(!opened.ok());
    CHECK(opened.error().code == Code::store_corrupt);
    CHECK(opened.error().detail.find("3#77") != std::string::npos);
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    CHECK(!open_event(kPlace, std::string_view(sealed).substr(0, size)).ok());
  }
  CHECK(!open_event(Position{StreamId{3}, 0, 78}, sealed).ok());
}

TEST_CASE("a sealed record is bound to its key") {
  const std::string sealed = seal("key", "payload");
  CHECK(*unseal("key", sealed, "x") == "payload");
  CHECK(!unseal("other", sealed, "x").ok());
  CHECK(unseal("other", sealed, "flow 7").error().detail.find("flow 7") != std::string::npos);
  std::string damaged = sealed;
  damaged.back() ^= 1;
  CHECK(!unseal("key", damaged, "x").ok());
  CHECK(!unseal("key", "", "x").ok());
}

}  // namespace
}  // namespace weir::store
