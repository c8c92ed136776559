// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/audit_reader.h"

#include "store/records/envelope.h"
#include "store/records/rows.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/open_database.h"
#include "store/sqlite/read_side.h"
#include "store/sqlite/schema.h"

namespace weir::store::sqlite {
namespace {

Result<AuditEntry> entry_in(const Query& query) {
  WEIR_TRY(const std::string_view payload,
           unseal(key_bytes({query.integer(0)}), query.bytes(1), "an audit entry"));
  WEIR_TRY(AuditEntry entry, decode_audit(payload));
  entry.number = static_cast<std::uint64_t>(query.integer(0));
  return entry;
}

}  // namespace

EachEntry verifier_of(wire::AuditVerifier& verifier) {
  return [&verifier](std::uint64_t number, const Result<AuditEntry>& entry) {
    if (entry.ok()) {
      verifier.next(*entry);
    } else {
      verifier.unreadable(number, entry.error().detail);
    }
  };
}

Result<AuditTable> read_audit(Connection& db, const EachEntry& each) {
  AuditTable table;
  WEIR_TRY(table.incarnation, read_incarnation(db));
  const auto kept = read_audit_head(db);
  if (!kept.ok() && kept.error().code != Code::store_corrupt) return kept.error();
  if (kept.ok() && kept->has_value())
    table.kept = wire::parse_audit_head(**kept).value_or(AuditHead{});
  WEIR_TRY(Query query, db.query("SELECT number, record FROM audit ORDER BY number"));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return table;
    each(static_cast<std::uint64_t>(query.integer(0)), entry_in(query));
  }
}

Result<AuditTable> read_audit(const std::string& folder, const EachEntry& each) {
  WEIR_TRY(Connection db, open_reader(folder, ""));
  WEIR_CHECK(db.execute("BEGIN"));
  WEIR_CHECK(verify_tables(db));
  return read_audit(db, each);
}

}  // namespace weir::store::sqlite
