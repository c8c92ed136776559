// SPDX-License-Identifier: Apache-2.0
// What the storage thread knows beside the database: the state of streams, so that appending reads
// nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/flow_state.h"
#include "ports/write_batch.h"
#include "store/records/dedupe_table.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/stream_keys.h"

namespace weir::store::sqlite {

// Hashes of the newest events are collected until a whole segment can be written.
inline constexpr std::size_t kSegmentEntries = 4096;

struct StreamState {
  StreamRecord record;
  WallTime last_recorded{};
  DedupeTable dedupe{DedupeLimits{}};
  std::vector<std::uint64_t>
      tail;  // hashes of seqs next_seq - size .. next_seq - 1, not in a segment yet
  WallTime tail_first_at{};
  std::uint64_t erase_before = 0;  // was shredded: what goes below is overwritten
};

struct WriteSide {
  WriteSide(Connection& connection, std::shared_ptr<Keyring> ring)
      : db(connection), keys(connection, std::move(ring)) {}
  Connection& db;
  StreamKeys keys;
  bool log_must_go = false;  // it holds what was erased from the database
  std::map<StreamId, StreamState> streams;
  std::set<FlowId> flows;
  std::int64_t last_settlement_number = 0;
  std::optional<AuditHead> audit_head;  // read with the first entry
  std::string buffer;                   // reused for sealing
};

// Reads everything from the database: at the start, and after a transaction was rolled back
// (`keep_dedupe`: the tables stay, since places that were never written do no harm there).
Result<> load(WriteSide& side, bool keep_dedupe);

// What one batch met, and the others can do without: damage, or what no key opens.
inline bool is_damage(const Error& error) {
  return error.code == Code::store_corrupt || error.code == Code::key_missing ||
         error.code == Code::key_wrong || error.code == Code::stream_shredded;
}

// Inside a transaction: checks the batch and its preconditions, then applies it. An error of the
// batch itself (invalid_argument, unknown_*) leaves nothing behind; store_full, store_failed and
// damage mean that the transaction must be rolled back.
Result<ports::Receipt> apply_batch(WriteSide& side, const ports::WriteBatch& batch);
inline bool is_fatal(const Error& error) {
  return error.code == Code::store_full || error.code == Code::store_failed || is_damage(error);
}

}  // namespace weir::store::sqlite
