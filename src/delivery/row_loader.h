// SPDX-License-Identifier: Apache-2.0
// Rows that are about to be dispatched, with their events. Whoever asks while a read is under way
// is part of the next one: a read is a turn of two threads, which costs more than its rows.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "async/completion.h"
#include "async/task.h"
#include "delivery/delivery_parts.h"
#include "model/delivery.h"

namespace weir::delivery {

class RowLoader {
 public:
  explicit RowLoader(DeliveryParts& parts) : parts_(parts) {}

  struct Loaded {
    std::optional<Delivery> row;
    std::optional<std::string> record;  // of its event: of the newest revision, if it was edited
  };
  // Errors: those of the store.
  async::Task<Result<Loaded>> load(DeliveryRef ref);

 private:
  static constexpr std::size_t kRowsPerRead = 256;
  struct Wanted {
    DeliveryRef ref;
    async::Completion<Result<Loaded>> done;
  };
  async::Task<> read_all();
  async::Task<> read_singly(std::vector<Wanted>& batch, std::size_t from, std::size_t until);
  async::Task<Result<std::map<DeliveryRef, Revision>>> newest_revisions(
      const std::vector<Delivery>& rows);
  async::Task<Result<std::vector<Loaded>>> read(std::vector<DeliveryRef> refs);

  DeliveryParts& parts_;
  std::vector<Wanted> wanted_;  // one per delivery that was admitted
  bool reading_ = false;
};

}  // namespace weir::delivery
