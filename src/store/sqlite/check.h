// SPDX-License-Identifier: Apache-2.0
// Looking after a data folder from outside: `weir store check | info | backup | restore`. Check,
// info and backup take no lock and work beside a running Weir; they read one snapshot.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/audit.h"
#include "store/records/keyring.h"
#include "store/sqlite/connection.h"

namespace weir::store::sqlite {

struct CheckReport {
  std::vector<std::string> problems;  // at most kProblemsMax; empty = the store is sound
  std::uint64_t problems_total = 0;
  std::uint64_t events = 0;
  std::uint64_t kept_events = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t settlements = 0;  // settled events in the history
  std::uint64_t groups = 0;
  std::uint64_t replay_items = 0;
  std::uint64_t audit_entries = 0;
  std::uint64_t encrypted = 0;  // records of events, copies, rows, holds, groups, replays and meta
  std::uint64_t plain = 0;      // those of the same tables that are not
  std::uint64_t unopened = 0;  // encrypted ones for want of a key: only their checksum was verified
  std::uint64_t shredded = 0;  // whose data key was destroyed
  bool sound() const { return problems_total == 0; }
};
inline constexpr std::size_t kProblemsMax = 100;

// SQLite's own structural check, the checksum of every record, the chain of the audit, and what the
// tables must tell of each other. Errors: store_unreadable, store_newer_format, store_older_format,
// and store_corrupt if it is no store at all; key_wrong if `ring` lacks a master key. Without a
// ring the content of encrypted records stays unknown.
Result<CheckReport> check(const std::string& folder, const std::string& vfs = "",
                          std::shared_ptr<Keyring> ring = nullptr);

struct FolderReport {
  int format = 0;
  std::uint64_t incarnation = 0;     // how often it was restored, plus one
  std::uint64_t bytes = 0;           // database file and log
  std::uint64_t free_bytes = 0;      // of it, unused pages
  std::vector<std::string> streams;  // "github: 12 events, 3..14"
  std::vector<std::string> flows;    // "sync-issues: floor 9, mark 40, active"
  std::uint64_t waiting = 0;
  std::uint64_t quarantined = 0;
};
Result<FolderReport> info(const std::string& folder);

// Copies the store into one new file, through SQLite's backup interface. `progress` may be null:
// pages done, of total. Errors: store_unreadable, invalid_argument if the file exists,
// store_failed, store_full.
Result<> backup(const std::string& folder, const std::string& file,
                const std::function<void(std::uint64_t, std::uint64_t)>& progress);

// Makes a data folder from a backup and raises its incarnation. Refuses a folder that holds a store
// (store_in_use), and a file that is not sound (store_corrupt). `entry` goes into the audit with
// it.
Result<> restore(const std::string& file, const std::string& folder, const AuditEntry& entry);

}  // namespace weir::store::sqlite
