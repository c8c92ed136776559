// SPDX-License-Identifier: Apache-2.0
#include "store/records/rows.h"
#include "store/sqlite/apply.h"

namespace weir::store::sqlite {

using namespace ports;

// The record is bound to the key, which is known before the row has an id. No upsert: it would use
// up a number each time. An entry mostly stays with its delivery: a statement that does not set the
// columns of an index leaves that index alone.
Result<> put_effect(WriteSide& side, const PutEffect& mutation) {
  const Effect& effect = mutation.effect;
  WEIR_TRY(const std::string key, side.keys.column(effect.key));
  WEIR_TRY(const std::string record,
           side.keys.seal("effects", effect.delivery.position.stream, key, encode_row(effect)));
  const auto write = [&](const char* sql) {
    return side.db.run(sql, key, effect.state, effect.version, effect.delivery.flow.value,
                       effect.delivery.position.pack(), effect.dependency,
                       to_micros(effect.changed_at), record);
  };
  if (effect.version > 1) {
    WEIR_CHECK(
        write("UPDATE effects SET state = ?2, version = ?3, changed_at = ?7, record = ?8 "
              "WHERE key = ?1 AND flow = ?4 AND pos = ?5 AND dependency = ?6"));
    if (side.db.changes() > 0) return {};
  }
  if (key != effect.key)  // it may have been written before the store was encrypted
    WEIR_CHECK(side.db.run("UPDATE effects SET key = ?1 WHERE key = ?2", key, effect.key));
  WEIR_CHECK(
      write("UPDATE effects SET state = ?2, version = ?3, flow = ?4, pos = ?5, dependency = ?6, "
            "changed_at = ?7, record = ?8 WHERE key = ?1"));
  if (side.db.changes() > 0) return {};
  return write(
      "INSERT INTO effects(key, state, version, flow, pos, dependency, changed_at, record) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
}

Result<> drop_effects(WriteSide& side, const DropEffects& mutation, Receipt& receipt) {
  WEIR_CHECK(side.db.run(
      "DELETE FROM effects WHERE id IN (SELECT e.id FROM effects e INDEXED BY effects_by_age "
      "WHERE e.dependency = ?1 AND e.state IN (2, 3) AND e.changed_at < ?2 AND NOT EXISTS "
      "(SELECT 1 FROM deliveries d WHERE d.flow = e.flow AND d.pos = e.pos AND d.state < 5) "
      "ORDER BY e.changed_at, e.id LIMIT ?3)",
      mutation.dependency, to_micros(mutation.before), mutation.limit));
  receipt.effects_dropped += static_cast<std::uint32_t>(side.db.changes());
  return {};
}

Result<bool> effect_is(WriteSide& side, const EffectIs& condition) {
  WEIR_TRY(const std::string key, side.keys.column(condition.key));
  WEIR_TRY(
      const std::int64_t version,
      side.db.integer("SELECT version FROM effects WHERE key IN (?1, ?2)", 0, key, condition.key));
  return version == condition.version;
}

}  // namespace weir::store::sqlite
