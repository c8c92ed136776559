// SPDX-License-Identifier: Apache-2.0
#include "store/records/rows.h"

#include <doctest/doctest.h>

namespace weir::store {
namespace {

// The row with its byte at `at` changed; `was` is what stands there.
std::string changed(std::string row, std::size_t at, char was, char is) {
  REQUIRE(row.at(at) == was);
  row[at] = is;
  return row;
}

// Found by test/fuzz/fuzz_rows.cc: such a row was read, and ended the process when it was shown.
TEST_CASE("a state that has no name is damage") {
  const std::string hold = encode_row(Hold{.flow = FlowId{2}, .key = "k", .released = true});
  CHECK(decode_hold(hold).ok());
  CHECK_FALSE(decode_hold(changed(hold, hold.size() - 1, 1, 2)).ok());

  FlowRecord flow{.id = FlowId{1}, .status = FlowStatus::removed};
  const std::string row = encode_row(
      flow);  // version, id, two texts, stream, a text, epoch, status
  CHECK(decode_flow(row).ok());
  CHECK_FALSE(decode_flow(changed(row, 7, static_cast<char>(FlowStatus::removed), 3)).ok());

  const std::string approval = encode_row(Approval{.act = ApprovalAct::remove});
  CHECK(decode_approval(approval).ok());
  CHECK_FALSE(decode_approval(changed(approval, 2, 4, 5)).ok());
}

TEST_CASE("a number that does not fit is damage, not another number") {
  const std::string hold = encode_row(Hold{.flow = FlowId{2}, .key = "k", .count = 5});
  REQUIRE(hold.at(hold.size() - 2) == 5);
  std::string larger = hold;
  larger.replace(hold.size() - 2, 1, "\x85\x80\x80\x80\x10");  // 5 + 2^32
  CHECK_FALSE(decode_hold(larger).ok());
}

TEST_CASE("what is cut short or has something behind it is damage") {
  const std::string hold = encode_row(Hold{.flow = FlowId{2}, .key = "k"});
  for (std::size_t size = 0; size < hold.size(); ++size)
    CHECK_FALSE(decode_hold(std::string_view(hold).substr(0, size)).ok());
  CHECK_FALSE(decode_hold(hold + '\0').ok());
}

}  // namespace
}  // namespace weir::store
