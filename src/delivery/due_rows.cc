// SPDX-License-Identifier: Apache-2.0
#include "delivery/due_rows.h"

#include "policy/deadline.h"

namespace weir::delivery {

std::vector<Due> DueRows::take_expired(WallTime now) {
  std::vector<Due> expired;
  auto row = looked_at_ ? rows_.upper_bound(*looked_at_) : rows_.begin();
  for (std::size_t looked = 0; looked < kLookMax && row != rows_.end(); ++looked) {
    looked_at_ = *row;
    if (!policy::is_expired(row->deadline, now)) {
      ++row;
      continue;
    }
    expired.push_back(*row);
    row = rows_.erase(row);
  }
  if (row == rows_.end()) looked_at_.reset();
  return expired;
}

}  // namespace weir::delivery
