// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <ranges>

#include "store/memory/apply.h"
#include "store/memory/reads.h"
#include "store/records/read_limits.h"

namespace weir::store::memory {

using namespace ports;

void put_effect(Tables& tables, const PutEffect& mutation) {
  EffectId& id = tables.effect_keys[mutation.effect.key];
  if (!id) id = EffectId{++tables.last_effect};
  Effect& effect = tables.effects[id];
  effect = mutation.effect;
  effect.id = id;
}

namespace {

bool is_settled(const Effect& effect) {
  return effect.state == EffectState::confirmed || effect.state == EffectState::failedNoEffect;
}

}  // namespace

void drop_effects(Tables& tables, const DropEffects& mutation, Receipt& receipt) {
  std::vector<const Effect*> old;
  for (const auto& [id, effect] : tables.effects) {
    if (!is_settled(effect) || effect.dependency != mutation.dependency) continue;
    if (effect.changed_at >= mutation.before) continue;
    const auto row = tables.deliveries.find(effect.delivery);
    if (row != tables.deliveries.end() && is_open(row->second.state)) continue;
    old.push_back(&effect);
  }
  std::ranges::sort(old, {}, [](const Effect* one) { return std::pair(one->changed_at, one->id); });
  if (old.size() > mutation.limit) old.resize(mutation.limit);
  receipt.effects_dropped += static_cast<std::uint32_t>(old.size());
  for (const Effect* effect : old) {
    tables.effect_keys.erase(effect->key);
    tables.effects.erase(EffectId{effect->id});
  }
}

void shred_effects(Tables& tables, StreamId stream) {
  std::erase_if(tables.effects, [&](const auto& entry) {
    const bool gone = entry.second.delivery.position.stream == stream;
    if (gone) tables.effect_keys.erase(entry.second.key);
    return gone;
  });
}

bool effect_is(const Tables& tables, const EffectIs& condition) {
  const auto known = get_effect(tables, condition.key);
  return (known ? known->version : 0) == condition.version;
}

std::optional<Effect> get_effect(const Tables& tables, const std::string& key) {
  const auto id = tables.effect_keys.find(key);
  if (id == tables.effect_keys.end()) return std::nullopt;
  return tables.effects.at(id->second);
}

std::vector<Effect> list_effects(const Tables& tables, const EffectQuery& query) {
  std::vector<Effect> effects;
  const std::size_t limit = std::min(query.limit, kListMax);
  for (const auto& [id, effect] : tables.effects | std::views::reverse) {
    if (effects.size() == limit) break;
    if (query.before && id >= *query.before) continue;
    if (query.state && effect.state != *query.state) continue;
    if (query.flow && effect.delivery.flow != *query.flow) continue;
    if (!query.dependency.empty() && effect.dependency != query.dependency) continue;
    effects.push_back(effect);
    effects.back().answer = {.status = effect.answer.status};
  }
  return effects;
}

std::vector<Effect> effects_of(const Tables& tables, const std::vector<DeliveryRef>& refs) {
  std::vector<Effect> effects;
  for (const DeliveryRef& ref : refs) {
    for (const auto& [id, effect] : tables.effects) {
      if (effect.delivery != ref) continue;
      effects.push_back(effect);
      effects.back().answer = {};
    }
  }
  return effects;
}

std::vector<std::pair<std::string, std::uint64_t>> effects_in_doubt(const Tables& tables) {
  std::map<std::string, std::uint64_t> counts;
  for (const auto& [id, effect] : tables.effects) {
    if (effect.state == EffectState::inDoubt) ++counts[effect.dependency];
  }
  return {counts.begin(), counts.end()};
}

std::vector<std::pair<std::string, WallTime>> oldest_settled_effects(const Tables& tables) {
  std::map<std::string, WallTime> oldest;
  for (const auto& [id, effect] : tables.effects) {
    if (!is_settled(effect)) continue;
    const auto known = oldest.try_emplace(effect.dependency, effect.changed_at).first;
    known->second = std::min(known->second, effect.changed_at);
  }
  return {oldest.begin(), oldest.end()};
}

}  // namespace weir::store::memory
