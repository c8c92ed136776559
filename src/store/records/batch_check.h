// SPDX-License-Identifier: Apache-2.0
// What a batch must fulfil before any of it is applied, so that applying cannot fail half way.
#pragma once

#include "base/result.h"
#include "ports/write_batch.h"

namespace weir::store {

// What exists in the store now.
class Existing {
 public:
  virtual ~Existing() = default;
  virtual Result<bool> stream(StreamId id) = 0;
  virtual Result<bool> flow(FlowId id) = 0;
  virtual Result<bool> replay(ReplayId id) = 0;
  virtual Result<bool> delivery(DeliveryRef ref) = 0;
  // kFirstRevision for one that was not edited.
  virtual Result<std::uint32_t> newest_revision(DeliveryRef ref) = 0;
};

// Names only things that exist or are made earlier in the batch; values are in range. Errors:
// unknown_stream, unknown_flow, unknown_replay, unknown_delivery, invalid_argument.
Result<> check_batch(const ports::WriteBatch& batch, Existing& existing);

}  // namespace weir::store
