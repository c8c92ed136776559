// SPDX-License-Identifier: Apache-2.0
#include "ports/write_batch.h"

namespace weir::ports {

void hand_back(WriteBatch& batch, Receipt& receipt) {
  if (!receipt.applied) return;
  auto result = receipt.appended.begin();
  for (Mutation& mutation : batch.mutations) {
    auto* append = std::get_if<AppendEvents>(&mutation);
    if (append == nullptr) continue;
    for (NewEvent& event : append->events) {
      const AppendResult& at = *result++;
      if (at.status != AppendStatus::stored) continue;
      receipt.stored.push_back(
          {Position{append->stream, 0, at.seq}, at.recorded, std::move(event.record)});
    }
  }
}

void add_to(WriteBatch& batch, Consent consent) {
  for (Precondition& one : consent.preconditions) batch.preconditions.push_back(std::move(one));
  for (Mutation& one : consent.mutations) batch.mutations.push_back(std::move(one));
}

}  // namespace weir::ports
