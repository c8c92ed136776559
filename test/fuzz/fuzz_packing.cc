// SPDX-License-Identifier: Apache-2.0
// Settlements and cursors in a few bytes: what is unpacked keeps the promises that packing was
// given (sorted, no repeats; ranges in order) and is packed into bytes that give it back.
#include <string>

#include "base/assert.h"
#include "input.h"
#include "model/position.h"
#include "store/records/packing.h"

namespace {

using namespace weir;

void check_settlements(std::string_view blob) {
  const auto settlements = store::unpack_settlements(blob);
  if (!settlements.ok()) return;
  WEIR_ASSERT(settlements->size() <= blob.size());
  std::uint64_t before = 0;
  for (const Settlement& one : *settlements) {
    WEIR_ASSERT(one.seq > before && one.seq <= kSeqMax);
    before = one.seq;
  }
  const std::string packed = store::pack_settlements(*settlements);
  WEIR_ASSERT(packed.size() <= blob.size());
  const auto again = store::unpack_settlements(packed);
  WEIR_ASSERT(again.ok() && *again == *settlements);
}

void check_cursor(std::string_view blob) {
  const auto cursor = store::unpack_cursor(blob);
  if (!cursor.ok()) return;
  WEIR_ASSERT(store::is_valid(*cursor));
  const std::string packed = store::pack_cursor(*cursor);
  WEIR_ASSERT(packed.size() <= blob.size());
  const auto again = store::unpack_cursor(packed);
  WEIR_ASSERT(again.ok() && *again == *cursor);
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  check_settlements(text);
  check_cursor(text);
}
