// SPDX-License-Identifier: Apache-2.0
#include "recovery/staleness.h"

#include <algorithm>

#include "policy/filter.h"
#include "policy/ordering_key.h"
#include "recovery/references.h"

namespace weir::recovery {
namespace {

constexpr std::size_t kEventsPerRead = 512;
constexpr std::size_t kBytesPerRead = 1024 * 1024;

std::optional<WallTime> expiry_of(const StoredEvent& stored) {
  const auto event = decode_event(stored.record);
  if (!event.ok()) return std::nullopt;
  const Extension* extension = event->find_extension("expirytime");
  return extension == nullptr ? std::nullopt : parse_rfc3339(extension->value);
}

// Copied: a reload may take the flow away while the store is read.
struct FlowRules {
  StreamId stream;
  std::uint64_t floor = 0;
  policy::KeyRule key;
  policy::Filter filter = policy::Filter::all();
};

std::optional<FlowRules> rules_of(const Live& live, FlowId id) {
  const auto flow = live.flow(id);
  if (!flow || flow->spec == nullptr) return std::nullopt;
  FlowRules rules{flow->record.stream, flow->floor, policy::key_rule(*flow->spec)};
  if (flow->spec->where.empty()) return rules;
  auto filter = policy::Filter::compile(flow->spec->where);
  if (filter.ok()) rules.filter = std::move(*filter);
  return rules;
}

}  // namespace

async::Task<Result<StaleLook>> StaleCheck::look(std::vector<Delivery> rows, WallTime now) {
  StaleLook seen;
  std::map<DeliveryRef, StaleDelivery> found;
  if (rules_.expired != Stale::replay) {
    std::vector<DeliveryRef> wanted;
    for (const Delivery& row : rows) {
      wanted.push_back(row.ref);
    }
    auto events = co_await store_->events().fetch(std::move(wanted));
    if (!events.ok()) co_return events.error();
    for (const StoredEvent& stored : *events) {
      const auto expiry = expiry_of(stored);
      if (!expiry) continue;
      for (const Delivery& row : rows) {
        if (row.ref.position != stored.position) continue;
        if (*expiry > now) {
          seen.expiries.emplace(row.ref, *expiry);
          continue;
        }
        found.emplace(row.ref, StaleDelivery{row.ref, true,
                                             fmt::format("its expirytime {} has passed",
                                                         to_rfc3339(*expiry))});
      }
    }
  }
  if (rules_.superseded != Stale::replay) {
    for (const Delivery& row : rows) {
      if (row.key.empty() || found.contains(row.ref)) continue;
      auto newer = co_await newer_of(row);
      if (!newer.ok()) co_return newer.error();
      if (!*newer) continue;
      found.emplace(row.ref, StaleDelivery{row.ref, false,
                                           fmt::format("{} of the same key was delivered since",
                                                       to_reference(*live_, **newer))});
    }
  }
  for (auto& [ref, one] : found) seen.stale.push_back(std::move(one));
  co_return seen;
}

async::Task<Result<std::optional<Position>>> StaleCheck::newer_of(Delivery row) {
  auto read = co_await read_on(row.ref.flow, row.ref.position.seq + 1);
  if (!read.ok()) co_return read.error();
  const Newest& newest = newest_[row.ref.flow];
  const auto seq = newest.seq_of.find(row.key);
  if (seq == newest.seq_of.end() || seq->second <= row.ref.position.seq)
    co_return std::optional<Position>();
  const Position position{.stream = row.ref.position.stream, .seq = seq->second};
  // It may wait behind this very one, or be in quarantine itself.
  auto other = co_await store_->deliveries().get({row.ref.flow, position});
  if (!other.ok()) co_return other.error();
  auto settled = co_await store_->deliveries().settlement(row.ref.flow, position);
  if (!settled.ok()) co_return settled.error();
  const bool delivered = other->has_value() ? (*other)->state == DeliveryState::done
                                            : settled->has_value() && (*settled)->first.status != 0;
  co_return delivered ? std::optional(position) : std::nullopt;
}

// Everything below the floor of the flow that was not read yet.
async::Task<Result<>> StaleCheck::read_on(FlowId flow, std::uint64_t first) {
  std::uint64_t next = std::max(newest_[flow].next, first);
  const auto now = live_->flow(flow);
  if (!now || now->floor <= next) co_return Result<>{};
  const auto rules = rules_of(*live_, flow);
  if (!rules) co_return Result<>{};
  while (next < rules->floor) {
    auto events = co_await store_->events().read(rules->stream, next, kEventsPerRead,
                                                 kBytesPerRead);
    if (!events.ok()) co_return events.error();
    if (events->empty()) break;
    Newest& newest = newest_[flow];
    for (const StoredEvent& stored : *events) {
      next = stored.position.seq + 1;
      if (stored.position.seq >= rules->floor) break;
      const auto event = decode_event(stored.record);
      if (!event.ok() || !rules->filter.matches(*event)) continue;
      std::string key = policy::ordering_key(*event, rules->key);
      const bool is_new = !newest.seq_of.contains(key);
      if (is_new && keys_ >= kKeysMax) continue;
      keys_ += is_new;
      newest.seq_of.insert_or_assign(std::move(key), stored.position.seq);
    }
    newest.next = std::min(next, rules->floor);
  }
  newest_[flow].next = std::max(newest_[flow].next, std::min(next, rules->floor));
  co_return Result<>{};
}

}  // namespace weir::recovery
