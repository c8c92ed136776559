// SPDX-License-Identifier: Apache-2.0
#include "model.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "desk.h"
#include "holdings.h"
#include "store/memory/memory_store.h"

namespace weir::cycles {
namespace {

class MemoryStore {
 public:
  MemoryStore() : store_(store::memory::open(desk_.executor())) {}
  ports::Receipt commit(const ports::WriteBatch& batch) {
    auto receipt = desk_.run(store_->writer().commit(batch));
    if (!receipt.ok()) fmt::print(stderr, "the workload: {}\n", to_text(receipt.error()));
    WEIR_ASSERT(receipt.ok() && receipt->applied);
    return *std::move(receipt);
  }
  std::string holdings() {
    auto text = desk_.run(holdings_of(*store_));
    WEIR_ASSERT(text.ok());
    return *std::move(text);
  }

 private:
  Desk desk_;
  std::unique_ptr<ports::Store> store_;
};

}  // namespace

Model::Model(std::uint64_t seed) : workload_(seed) {
  MemoryStore store;
  holdings_.push_back(store.holdings());
  while (batches_.size() < features().batches) {
    batches_.push_back(workload_.next());
    workload_.learn(store.commit(batches_.back()));
    holdings_.push_back(store.holdings());
  }
  probe_ = workload_.probe();
}

const Model::Probed& Model::after_probe(std::size_t batches) {
  const auto known = probed_.find(batches);
  if (known != probed_.end()) return known->second;
  MemoryStore store;
  for (std::size_t i = 0; i < batches; ++i) store.commit(batches_[i]);
  const ports::Receipt receipt = store.commit(probe_);
  return probed_[batches] = {text_of(receipt.appended), store.holdings()};
}

std::string text_of(const std::vector<ports::AppendResult>& appended) {
  std::string text;
  for (const ports::AppendResult& one : appended)
    text += fmt::format("{}:{} ", static_cast<int>(one.status), one.seq);
  return text;
}

}  // namespace weir::cycles
