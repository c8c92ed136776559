// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/schema.h"

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/bytes.h"
#include "store/records/envelope.h"

namespace weir::store::sqlite {
namespace {

// Keys and texts are blobs: compared byte by byte, and bytes of any kind fit. `record` columns are
// sealed (records/envelope.h); the columns beside them repeat what is searched for.
constexpr const char* kTables[] = {
    "CREATE TABLE header(key BLOB PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE meta(key BLOB PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE streams(id INTEGER PRIMARY KEY, next_seq INTEGER NOT NULL, first_seq INTEGER NOT "
    "NULL, "
    "record BLOB NOT NULL)",
    "CREATE TABLE flows(id INTEGER PRIMARY KEY, name BLOB NOT NULL, stream INTEGER NOT NULL, epoch "
    "INTEGER NOT NULL, "
    "cursor BLOB NOT NULL, record BLOB NOT NULL)",
    // pos packs stream, partition and seq (Position::pack): appended to at one end per stream,
    // trimmed at the other.
    "CREATE TABLE events(pos INTEGER PRIMARY KEY, record BLOB NOT NULL)",
    "CREATE TABLE kept_events(flow INTEGER, pos INTEGER, record BLOB NOT NULL, PRIMARY KEY(flow, "
    "pos)) WITHOUT ROWID",
    // What people made of the events of single deliveries.
    "CREATE TABLE revisions(flow INTEGER, pos INTEGER, number INTEGER, record BLOB NOT NULL, "
    "PRIMARY KEY(flow, pos, number)) WITHOUT ROWID",
    // Identity hashes of whole runs of events; those after the last segment are read from the
    // events themselves.
    "CREATE TABLE dedupe(pos INTEGER PRIMARY KEY, record BLOB NOT NULL)",
    // One per flow and commit. `number` grows with time, so that the latest settlement of an event
    // is known.
    "CREATE TABLE settlements(flow INTEGER, min_seq INTEGER, number INTEGER, max_seq INTEGER NOT "
    "NULL, "
    "record BLOB NOT NULL, PRIMARY KEY(flow, min_seq, number)) WITHOUT ROWID",
    "CREATE TABLE deliveries(flow INTEGER, pos INTEGER, state INTEGER NOT NULL, failure INTEGER "
    "NOT NULL, "
    "group_id INTEGER NOT NULL, changed_at INTEGER NOT NULL, due INTEGER NOT NULL, deadline "
    "INTEGER "
    "NOT NULL, set_aside INTEGER NOT NULL, "
    "replay INTEGER NOT NULL, interruptions INTEGER NOT NULL, key BLOB NOT NULL, event_id BLOB NOT "
    "NULL, "
    "record BLOB NOT NULL, PRIMARY KEY(flow, pos)) WITHOUT ROWID",
    // The last three of both are what a plan freezes by.
    "CREATE INDEX deliveries_by_state ON deliveries(state, flow, pos, set_aside, changed_at, "
    "failure)",
    "CREATE INDEX deliveries_by_group ON deliveries(group_id, flow, pos, state, key, set_aside, "
    "changed_at, failure) WHERE group_id <> 0",
    "CREATE INDEX deliveries_by_event ON deliveries(event_id, pos)",
    "CREATE TABLE holds(flow INTEGER, key BLOB, count INTEGER NOT NULL, record BLOB NOT NULL, "
    "PRIMARY KEY(flow, key)) WITHOUT ROWID",
    "CREATE TABLE groups(id INTEGER PRIMARY KEY AUTOINCREMENT, flow INTEGER NOT NULL, hash BLOB "
    "NOT NULL, "
    "open INTEGER NOT NULL, last_at INTEGER NOT NULL, record BLOB NOT NULL)",
    "CREATE UNIQUE INDEX groups_by_hash ON groups(hash, flow)",
    "CREATE TABLE replays(id INTEGER PRIMARY KEY AUTOINCREMENT, state INTEGER NOT NULL, record "
    "BLOB NOT NULL)",
    "CREATE INDEX replays_unfinished ON replays(id) WHERE state < 6",
    "CREATE TABLE replay_items(replay INTEGER, flow INTEGER, pos INTEGER, state INTEGER NOT NULL, "
    "PRIMARY KEY(replay, flow, pos)) WITHOUT ROWID",
    "CREATE TABLE effects(id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL, state INTEGER "
    "NOT NULL, "
    "version INTEGER NOT NULL, flow INTEGER NOT NULL, pos INTEGER NOT NULL, dependency BLOB NOT "
    "NULL, "
    "changed_at INTEGER NOT NULL, record BLOB NOT NULL)",
    "CREATE UNIQUE INDEX effects_by_key ON effects(key)",
    "CREATE INDEX effects_by_delivery ON effects(flow, pos, id)",
    "CREATE INDEX effects_by_age ON effects(dependency, state, changed_at) WHERE state IN (2, 3)",
    "CREATE INDEX effects_unsettled ON effects(state, dependency) WHERE state IN (1, 4)",
    "CREATE TABLE tokens(id INTEGER PRIMARY KEY, record BLOB NOT NULL)",
    "CREATE TABLE approvals(id INTEGER PRIMARY KEY, version INTEGER NOT NULL, record BLOB NOT "
    "NULL)",
    // Data keys, each wrapped by a master key; stream 0 has those of what belongs to no stream. An
    // empty `wrapped` is what is left of a destroyed one.
    "CREATE TABLE stream_keys(stream INTEGER, generation INTEGER, master BLOB NOT NULL, wrapped "
    "BLOB NOT NULL, "
    "created_at INTEGER NOT NULL, PRIMARY KEY(stream, generation)) WITHOUT ROWID",
    "CREATE TABLE audit(number INTEGER PRIMARY KEY AUTOINCREMENT, record BLOB NOT NULL)",
};

struct Setting {
  const char* set;
  const char* read;
  std::string_view wanted;
};

constexpr Setting kSettings[] = {
    {"PRAGMA mmap_size=0", "PRAGMA mmap_size",
     "0"},  // a read error must be an error code, not SIGBUS
    {"PRAGMA foreign_keys=OFF", "PRAGMA foreign_keys", "0"},
    {"PRAGMA recursive_triggers=OFF", "PRAGMA recursive_triggers", "0"},
    {"PRAGMA locking_mode=NORMAL", "PRAGMA locking_mode", "normal"},
    {"PRAGMA temp_store=MEMORY", "PRAGMA temp_store", "2"},
    {"PRAGMA cache_size=-6000", "PRAGMA cache_size", "-6000"},  // KiB
};

constexpr Setting kWriterSettings[] = {
    {"PRAGMA synchronous=FULL", "PRAGMA synchronous", "2"},
    {"PRAGMA secure_delete=OFF", "PRAGMA secure_delete", "0"},
    {"PRAGMA wal_autocheckpoint=0", "PRAGMA wal_autocheckpoint",
     "0"},  // the storage thread decides when
    {"PRAGMA journal_size_limit=67108864", "PRAGMA journal_size_limit", "67108864"},
};

Result<std::string> read_pragma(Connection& db, const char* sql) {
  WEIR_TRY(Query query, db.query(sql));
  WEIR_TRY(const bool row, query.next());
  return row ? std::string(query.bytes(0)) : std::string();
}

Result<> apply(Connection& db, const Setting& setting) {
  WEIR_CHECK(db.execute(setting.set));
  WEIR_TRY(const std::string got, read_pragma(db, setting.read));
  if (got == setting.wanted) return {};
  return Error{Code::store_setting_refused,
               fmt::format("{}: wanted {}, SQLite says '{}'", setting.read, setting.wanted, got),
               "this build of SQLite cannot be used"};
}

Error not_ours(std::string detail) {
  return Error{Code::store_corrupt, std::move(detail),
               "restore a backup, or choose another data folder"};
}

}  // namespace

Result<> apply_settings(Connection& db, Access access) {
  for (const Setting& setting : kSettings) WEIR_CHECK(apply(db, setting));
  if (access == Access::read) {
    return apply(db, {"PRAGMA query_only=ON", "PRAGMA query_only", "1"});
  }
  if (access == Access::create) {
    WEIR_CHECK(apply(db, {"PRAGMA page_size=8192", "PRAGMA page_size", "8192"}));
    WEIR_CHECK(apply(db, {"PRAGMA auto_vacuum=INCREMENTAL", "PRAGMA auto_vacuum", "2"}));
  }
  WEIR_CHECK(apply(db, {"PRAGMA journal_mode=WAL", "PRAGMA journal_mode", "wal"}));
  for (const Setting& setting : kWriterSettings) WEIR_CHECK(apply(db, setting));
  return {};
}

Result<> create_tables(Connection& db, std::uint64_t incarnation) {
  WEIR_CHECK(db.execute("BEGIN IMMEDIATE"));
  for (const char* table : kTables) WEIR_CHECK(db.execute(table));
  WEIR_CHECK(write_incarnation(db, incarnation));
  WEIR_CHECK(db.execute(fmt::format("PRAGMA application_id={}", kApplicationId).c_str()));
  WEIR_CHECK(db.execute(fmt::format("PRAGMA user_version={}", kFormat).c_str()));
  return db.execute("COMMIT");
}

Result<> verify_tables(Connection& db) {
  WEIR_TRY(const std::int64_t application, db.integer("PRAGMA application_id", 0));
  WEIR_TRY(const std::int64_t format, db.integer("PRAGMA user_version", 0));
  if (application != kApplicationId) return not_ours("weir.db is not a Weir store");
  if (format > kFormat) {
    return Error{Code::store_newer_format,
                 fmt::format("format {}, this Weir knows {}", format, kFormat),
                 "use the newer Weir, or restore a backup made by this one"};
  }
  if (format >= 1 && format < kFormat) {
    return Error{
        Code::store_older_format, fmt::format("format {}, this Weir needs {}", format, kFormat),
        "let the older Weir deliver what is left in it, and start this one in a new folder"};
  }
  if (format != kFormat) return not_ours(fmt::format("weir.db has the unknown format {}", format));
  for (const char* table : kTables) {
    WEIR_TRY(const std::int64_t known,
             db.integer("SELECT count(*) FROM sqlite_schema WHERE sql = CAST(?1 AS TEXT)", 0,
                        std::string_view(table)));
    if (known != 1) return not_ours(fmt::format("weir.db lacks a table or index: {}", table));
  }
  WEIR_TRY([[maybe_unused]] const std::uint64_t incarnation, read_incarnation(db));
  return {};
}

Result<std::uint64_t> read_incarnation(Connection& db) {
  WEIR_TRY(Query query, db.query("SELECT record FROM header WHERE key = ?1", "incarnation"));
  WEIR_TRY(const bool row, query.next());
  if (!row) return not_ours("the header of weir.db is missing");
  WEIR_TRY(const std::string_view payload, unseal("incarnation", query.bytes(0), "the header"));
  ByteReader in(payload);
  const std::uint64_t incarnation = in.u64();
  if (in.failed()) return not_ours("the header of weir.db cannot be decoded");
  return incarnation;
}

Result<> write_incarnation(Connection& db, std::uint64_t incarnation) {
  ByteWriter out;
  out.u64(incarnation);
  const std::string record = seal("incarnation", out.bytes());
  return db.run("INSERT OR REPLACE INTO header(key, record) VALUES(?1, ?2)", "incarnation", record);
}

}  // namespace weir::store::sqlite
