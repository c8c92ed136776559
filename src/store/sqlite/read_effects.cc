// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "store/records/read_limits.h"
#include "store/records/rows.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/read_side.h"

namespace weir::store::sqlite {
namespace {

// Of columns id, key, record.
Result<Effect> effect_of(ReadSide& side, const Query& query) {
  WEIR_TRY(const std::string_view payload,
           side.keys.unseal("effects", query.bytes(1), query.bytes(2), "an effect"));
  WEIR_TRY(Effect effect, decode_effect(payload));
  effect.id = EffectId{static_cast<std::uint64_t>(query.integer(0))};
  return effect;
}

Result<std::optional<Effect>> one_effect(ReadSide& side, Query query) {
  WEIR_TRY(const bool row, query.next());
  if (!row) return std::optional<Effect>();
  WEIR_TRY(Effect effect, effect_of(side, query));
  return std::optional(std::move(effect));
}

}  // namespace

Result<std::optional<Effect>> get_effect(ReadSide& side, const std::string& key) {
  // As the column has it, and as it had it before the store was encrypted.
  WEIR_TRY(const std::string column, side.keys.column(key));
  WEIR_TRY(Query query,
           side.db.query("SELECT id, key, record FROM effects WHERE key IN (?1, ?2)", column, key));
  return one_effect(side, std::move(query));
}

Result<std::optional<Effect>> find_effect(ReadSide& side, EffectId id) {
  WEIR_TRY(Query query,
           side.db.query("SELECT id, key, record FROM effects WHERE id = ?1", id.value));
  return one_effect(side, std::move(query));
}

Result<std::vector<Effect>> list_effects(ReadSide& side, const ports::EffectQuery& asked) {
  std::vector<Effect> effects;
  const std::int64_t before = asked.before ? static_cast<std::int64_t>(asked.before->value)
                                           : std::numeric_limits<std::int64_t>::max();
  // What is in doubt is little among much, and has an index of its own.
  const bool unsettled = asked.state == EffectState::inDoubt || asked.state == EffectState::sent;
  const char* sql =
      unsettled ? "SELECT id, key, record FROM effects INDEXED BY effects_unsettled "
                  "WHERE state IN (1, 4) AND state = ?1 AND id < ?2 AND (?3 = 0 OR flow = ?3) AND "
                  "(length(?4) = 0 OR dependency = ?4) ORDER BY id DESC LIMIT ?5"
                : "SELECT id, key, record FROM effects WHERE (?1 < 0 OR state = ?1) AND id < ?2 "
                  "AND (?3 = 0 OR flow = ?3) AND (length(?4) = 0 OR dependency = ?4) "
                  "ORDER BY id DESC LIMIT ?5";
  WEIR_TRY(Query query, side.db.query(sql, asked.state ? static_cast<int>(*asked.state) : -1,
                                      before, asked.flow ? asked.flow->value : 0u, asked.dependency,
                                      std::min(asked.limit, kListMax)));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return effects;
    WEIR_TRY(Effect effect, effect_of(side, query));
    effect.answer = {.status = effect.answer.status};
    effects.push_back(std::move(effect));
  }
}

Result<std::vector<Effect>> effects_of(ReadSide& side, const std::vector<DeliveryRef>& refs) {
  std::vector<Effect> effects;
  for (const DeliveryRef& ref : refs) {
    WEIR_TRY(Query query,
             side.db.query("SELECT id, key, record FROM effects WHERE flow = ?1 AND pos = ?2 "
                           "ORDER BY id",
                           ref.flow.value, ref.position.pack()));
    for (;;) {
      WEIR_TRY(const bool row, query.next());
      if (!row) break;
      WEIR_TRY(Effect effect, effect_of(side, query));
      effect.answer = {};
      effects.push_back(std::move(effect));
    }
  }
  return effects;
}

Result<std::vector<std::pair<std::string, std::uint64_t>>> effects_in_doubt(ReadSide& side) {
  std::vector<std::pair<std::string, std::uint64_t>> counts;
  WEIR_TRY(
      Query query,
      side.db.query("SELECT dependency, count(*) FROM effects INDEXED BY effects_unsettled "
                    "WHERE state IN (1, 4) AND state = 4 GROUP BY dependency ORDER BY dependency"));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return counts;
    counts.emplace_back(query.bytes(0), static_cast<std::uint64_t>(query.integer(1)));
  }
}

// From one dependency to the next in the index: nothing is read but the first entries of each.
Result<std::vector<std::pair<std::string, WallTime>>> oldest_settled_effects(ReadSide& side) {
  std::vector<std::pair<std::string, WallTime>> oldest;
  std::string name;
  for (;;) {
    WEIR_TRY(Query next,
             side.db.query("SELECT dependency FROM effects INDEXED BY effects_by_age WHERE "
                           "state IN (2, 3) AND dependency > ?1 ORDER BY dependency LIMIT 1",
                           name));
    WEIR_TRY(const bool row, next.next());
    if (!row) return oldest;
    name = next.bytes(0);
    WEIR_TRY(const std::int64_t at,
             side.db.integer("SELECT min(at) FROM (SELECT min(changed_at) AS at FROM effects "
                             "INDEXED BY effects_by_age WHERE state IN (2, 3) AND state = 2 AND "
                             "dependency = ?1 UNION ALL SELECT min(changed_at) FROM effects "
                             "INDEXED BY effects_by_age WHERE state IN (2, 3) AND state = 3 AND "
                             "dependency = ?1)",
                             0, name));
    oldest.emplace_back(name, from_micros(at));
  }
}

}  // namespace weir::store::sqlite
