// SPDX-License-Identifier: Apache-2.0
#include "delivery/row_loader.h"

#include <fmt/format.h>

#include "async/turn.h"

namespace weir::delivery {
namespace {

// The event as it came is not what somebody decided to send.
Error revision_gone(const Delivery& row) {
  return Error{Code::store_corrupt,
               fmt::format("revision {} of delivery {} of flow {} is gone", row.revision,
                           row.ref.position.seq, row.ref.flow.value),
               "`weir store check` on the data folder"};
}

}  // namespace

async::Task<Result<RowLoader::Loaded>> RowLoader::load(DeliveryRef ref) {
  co_return co_await async::complete_with<Result<Loaded>>(
      [&](async::Completion<Result<Loaded>> done) {
        wanted_.push_back({ref, std::move(done)});
        if (reading_) return;
        reading_ = true;
        parts_.tasks.spawn(read_all());
      });
}

async::Task<> RowLoader::read_all() {
  co_await async::turn();  // those who are admitted together are read together
  while (!wanted_.empty()) {
    std::vector<Wanted> batch = std::exchange(wanted_, {});
    for (std::size_t from = 0; from < batch.size(); from += kRowsPerRead) {
      const std::size_t until = std::min(from + kRowsPerRead, batch.size());
      std::vector<DeliveryRef> refs;
      for (std::size_t i = from; i < until; ++i) refs.push_back(batch[i].ref);
      auto loaded = co_await read(refs);
      if (!loaded.ok() && refs.size() > 1) {
        co_await read_singly(batch, from, until);  // a damaged one keeps nobody else back
        continue;
      }
      for (std::size_t i = from; i < until; ++i) {
        if (loaded.ok()) {
          batch[i].done.resume_here(std::move((*loaded)[i - from]));
        } else {
          batch[i].done.resume_here(loaded.error());
        }
      }
    }
  }
  reading_ = false;
}

async::Task<> RowLoader::read_singly(std::vector<Wanted>& batch, std::size_t from,
                                     std::size_t until) {
  for (std::size_t i = from; i < until; ++i) {
    auto loaded = co_await read({batch[i].ref});
    if (loaded.ok()) {
      batch[i].done.resume_here(std::move(loaded->front()));
    } else {
      batch[i].done.resume_here(loaded.error());
    }
  }
}

async::Task<Result<std::map<DeliveryRef, Revision>>> RowLoader::newest_revisions(
    const std::vector<Delivery>& rows) {
  std::vector<DeliveryRef> edited;
  for (const Delivery& row : rows) {
    if (row.revision != kFirstRevision) edited.push_back(row.ref);
  }
  std::map<DeliveryRef, Revision> newest;
  if (edited.empty()) co_return newest;
  auto read = co_await parts_.store.deliveries().newest_revisions(std::move(edited));
  if (!read.ok()) co_return read.error();
  for (Revision& revision : *read) newest.emplace(revision.ref, std::move(revision));
  co_return newest;
}

async::Task<Result<std::vector<RowLoader::Loaded>>> RowLoader::read(std::vector<DeliveryRef> refs) {
  auto rows = co_await parts_.store.deliveries().get_many(refs);
  if (!rows.ok()) co_return rows.error();
  auto events = co_await parts_.store.events().fetch(refs);
  if (!events.ok()) co_return events.error();
  auto revised = co_await newest_revisions(*rows);
  if (!revised.ok()) co_return revised.error();
  std::map<DeliveryRef, Delivery*> row_of;
  for (Delivery& row : *rows) row_of.emplace(row.ref, &row);
  std::map<Position, const StoredEvent*> event_of;  // several flows may ask for the same
  for (const StoredEvent& stored : *events) event_of.emplace(stored.position, &stored);
  std::vector<Loaded> loaded(refs.size());
  for (std::size_t i = 0; i < refs.size(); ++i) {
    if (const auto row = row_of.find(refs[i]); row != row_of.end()) loaded[i].row = *row->second;
    const auto event = event_of.find(refs[i].position);
    if (event != event_of.end()) loaded[i].record = event->second->record;
    const bool edited = loaded[i].row && loaded[i].row->revision != kFirstRevision;
    if (!edited || !loaded[i].record) continue;
    const auto revision = revised->find(refs[i]);
    if (revision == revised->end() || revision->second.number != loaded[i].row->revision)
      co_return revision_gone(*loaded[i].row);
    loaded[i].record = std::move(revision->second.record);
  }
  co_return loaded;
}

}  // namespace weir::delivery
