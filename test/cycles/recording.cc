// SPDX-License-Identifier: Apache-2.0
#include "recording.h"

#include <algorithm>
#include <span>

#include <boost/asio/execution.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "desk.h"

namespace weir::cycles {
namespace {

using store::sqlite::testing::DiskOperation;
using store::sqlite::testing::FaultVfs;

// Where the storage thread posts its answers: notes how far the disk is before it hands each on.
// Whoever got the answer could only ask too late, while a checkpoint is already at work.
class NotingExecutor {
 public:
  NotingExecutor(async::Executor next, Recording& recording)
      : next_(std::move(next)), recording_(&recording) {}

  template <class Job>
  void execute(Job&& job) const {
    recording_->acknowledged_after.push_back(recording_->operations.size());
    boost::asio::post(next_, std::forward<Job>(job));
  }
  boost::asio::execution_context& query(boost::asio::execution::context_t) const noexcept {
    return boost::asio::query(next_, boost::asio::execution::context);
  }
  static constexpr boost::asio::execution::blocking_t query(
      boost::asio::execution::blocking_t) noexcept {
    return boost::asio::execution::blocking.never;
  }
  NotingExecutor require(boost::asio::execution::blocking_t::never_t) const { return *this; }
  bool operator==(const NotingExecutor&) const noexcept = default;

 private:
  async::Executor next_;
  Recording* recording_;
};

std::shared_ptr<store::Keyring> keyring_of(std::uint64_t seed) {
  auto key = store::parse_master_key(fmt::format("{:064x}", seed), "seed");
  return std::make_shared<store::Keyring>(store::Keyring::Keys{*std::move(key)});
}

// Opens the store, commits these batches one after the other, and closes it.
Result<> live(const Features& features, const FaultVfs& vfs,
              std::span<const ports::WriteBatch> batches, Recording& recording) {
  Desk desk;
  const NotingExecutor noting(desk.executor(), recording);
  WEIR_TRY(const auto store,
           store::sqlite::open(options_on(vfs, noting, features, recording.keyring)));
  for (const ports::WriteBatch& batch : batches) {
    WEIR_TRY(const ports::Receipt receipt, desk.run(store->writer().commit(batch)));
    if (!receipt.applied) return Error{Code::store_failed, "a precondition did not hold", ""};
  }
  return {};
}

}  // namespace

std::size_t Recording::acknowledged_before(std::size_t number) const {
  const auto end = std::ranges::lower_bound(acknowledged_after, number);
  return static_cast<std::size_t>(end - acknowledged_after.begin());
}

std::uint32_t Recording::trace() const {
  ByteWriter all;
  for (const DiskOperation& one : operations) {
    all.u8(static_cast<std::uint8_t>(one.kind));
    all.u64(one.at);
    all.u32(crc32c(one.path + one.bytes));
  }
  return crc32c(all.bytes());
}

store::sqlite::Options options_on(const FaultVfs& vfs, async::Executor executor,
                                  const Features& features,
                                  std::shared_ptr<store::Keyring> keyring) {
  store::sqlite::Options options{.folder = kFolder, .executor = std::move(executor)};
  options.vfs = vfs.name();
  options.keyring = std::move(keyring);
  options.wal_bytes_max = features.log_bytes;
  options.idle_after = std::chrono::hours{1};  // what an idle store does depends on the machine
  return options;
}

Result<Recording> record(const Model& model, std::uint64_t seed) {
  Recording recording;
  if (model.features().encrypted) recording.keyring = keyring_of(seed);
  FaultVfs vfs;
  vfs.disk().record(&recording.operations);
  const std::span batches(model.batches());
  const std::size_t first_life = model.features().restarts ? batches.size() / 2 : 0;
  for (const auto life : {batches.first(first_life), batches.subspan(first_life)}) {
    if (!life.empty()) WEIR_CHECK(live(model.features(), vfs, life, recording));
  }
  vfs.disk().record(nullptr);
  return recording;
}

}  // namespace weir::cycles
