// SPDX-License-Identifier: Apache-2.0
// Flows that leave the configuration. Their calls end first; they keep cursor, holds and quarantine
// until somebody removes them for good, and go on from there if they come back.
#include <algorithm>
#include <set>

#include "async/completion.h"
#include "base/assert.h"
#include "base/text.h"
#include "delivery/engine.h"

namespace weir::delivery {

async::Task<Result<>> Engine::retire_others(std::vector<FlowRecord>& known,
                                            const std::set<std::uint32_t>& wanted) {
  removed_.clear();
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  for (FlowRecord& record : known) {
    if (wanted.contains(record.id.value)) continue;
    if (record.status != FlowStatus::removed) {
      record.status = FlowStatus::removed;
      record.reason = "no longer in the configuration";
      batch.mutations.emplace_back(ports::SetFlowStatus{record.id, FlowStatus::removed,
                                                        record.reason, options_.clock.wall()});
    }
    removed_.push_back(record);
  }
  for (auto entry = flows_.begin(); entry != flows_.end();) {
    if (wanted.contains(entry->second->id().value)) {
      ++entry;
      continue;
    }
    entry->second->stop_reading();
    for (auto& [name, dispatcher] : dispatchers_) dispatcher->remove(entry->second.get());
    retired_.push_back(std::move(entry->second));
    entry = flows_.erase(entry);
  }
  if (batch.mutations.empty()) co_return Result<>{};
  auto receipt = co_await options_.store.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  co_return Result<>{};
}

// It came back before its last call had ended: it is still the same flow.
void Engine::revive(FlowId id, const std::string& name) {
  const auto found = std::ranges::find_if(retired_,
                                          [id](const auto& flow) { return flow->id() == id; });
  if (found == retired_.end()) return;
  WEIR_ASSERT(!(*found)->is_closed());
  (*found)->go_on_reading(find_stream_by_id((*found)->stream())->next_seq);
  flows_.emplace(name, std::move(*found));
  retired_.erase(found);
}

// Says of retired flows without calls that nothing else was sent.
void Engine::close_retired() {
  if (applying_) return;
  for (const auto& flow : retired_) {
    if (!flow->is_closed() && flow->is_quiet() && !settler_.is_busy_with(*flow)) flow->close();
  }
  std::erase_if(retired_, [this](const auto& flow) {
    return flow->is_closed() && !settler_.is_busy_with(*flow);
  });
}

// A closed flow does not come back: what it left is read again, once it is durable.
async::Task<> Engine::forget_closed() {
  std::vector<Flow*> closed;
  for (const auto& flow : retired_) {
    if (flow->is_closed() && settler_.is_busy_with(*flow)) closed.push_back(flow.get());
  }
  for (Flow* flow : closed) {
    (void)co_await async::complete_with<bool>([&](async::Completion<bool> done) {
      settler_.write(*flow, {}, [done = std::move(done)](bool durable) mutable { done(durable); });
    });
  }
  std::erase_if(retired_, [this](const auto& flow) {
    return flow->is_closed() && !settler_.is_busy_with(*flow);
  });
}

Result<FlowId> Engine::removable(const std::string& name) const {
  const auto found = std::ranges::find(removed_, name, &FlowRecord::name);
  if (found == removed_.end()) {
    if (find_flow(name) != nullptr) {
      return Error{Code::wrong_state, fmt::format("flow '{}' is still in the configuration", name),
                   "take it out of the configuration and reload first"};
    }
    std::vector<std::string> names;
    for (const FlowRecord& record : removed_) names.push_back(record.name);
    for (const auto& [running, ignored] : flows_) names.push_back(running);
    return unknown_flow(name, names);
  }
  const FlowId id = found->id;
  if (applying_ || find_flow(id) != nullptr) {
    return Error{Code::wrong_state, fmt::format("flow '{}' is just coming back", name),
                 "look at `weir flow list`, then try again"};
  }
  const auto retired = std::ranges::find_if(retired_,
                                            [id](const auto& flow) { return flow->id() == id; });
  if (retired == retired_.end() || ((*retired)->is_quiet() && !settler_.is_busy_with(**retired)))
    return id;
  return Error{Code::wrong_state, fmt::format("calls of flow '{}' are still running", name),
               "try again when they have ended"};
}

async::Task<Result<>> Engine::remove(FlowRemoval removal) {
  const Result<FlowId> known = removable(removal.name);
  if (!known.ok()) co_return known.error();
  const FlowId id = *known;
  if (id != removal.flow) {
    co_return Error{Code::conflict, fmt::format("'{}' is another flow by now", removal.name),
                    "look at `weir flow list`, then try again"};
  }
  std::erase_if(retired_, [id](const auto& flow) { return flow->id() == id; });
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::RemoveFlow{id});
  batch.mutations.emplace_back(ports::AddAudit{AuditEntry{.at = options_.clock.wall(),
                                                          .actor = std::move(removal.actor),
                                                          .action = "flow.remove",
                                                          .target = removal.name,
                                                          .reason = std::move(removal.reason),
                                                          .detail = std::move(removal.left)}});
  ports::add_to(batch, std::move(removal.consent));
  auto receipt = co_await options_.store.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  if (!receipt->applied) {
    co_return Error{Code::conflict, "the approval was used or changed in between",
                    "weir approval list"};
  }
  std::erase_if(removed_, [id](const FlowRecord& record) { return record.id == id; });
  co_return Result<>{};
}

}  // namespace weir::delivery
