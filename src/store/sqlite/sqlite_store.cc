// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_store.h"

#include <filesystem>

#include <fmt/format.h>

#include "async/clock.h"
#include "store/sqlite/lock_file.h"
#include "store/sqlite/open_database.h"
#include "store/sqlite/ports.h"
#include "store/sqlite/schema.h"

namespace weir::store::sqlite {
namespace {

class SqliteStore final : public ports::Store {
 public:
  SqliteStore(LockFile lock, std::unique_ptr<StorageThread> storage, Connection fast,
              Connection slow, const std::shared_ptr<Keyring>& ring)
      : lock_(std::move(lock)),
        storage_(std::move(storage)),
        fast_(std::move(fast), ring),
        slow_(std::move(slow), ring) {}

  ports::Writer& writer() override { return writer_; }
  ports::EventLog& events() override { return events_; }
  ports::DeliveryTable& deliveries() override { return deliveries_; }
  ports::FlowTable& flows() override { return flows_; }
  ports::RecoveryTable& recovery() override { return recovery_; }
  ports::EffectTable& effects() override { return effects_; }

  async::Task<ports::StoreStatus> info() override {
    const auto sizes = co_await slow_.ask<ports::StoreStatus>(
        [](ReadSide& side) { return sizes_of(side); });
    ports::StoreStatus info = sizes.ok() ? *sizes : ports::StoreStatus{};
    info.kind = "sqlite";
    info.format = kFormat;
    storage_->describe(info);
    co_return info;
  }

 private:
  static Result<ports::StoreStatus> sizes_of(ReadSide& side) {
    Connection& db = side.db;
    ports::StoreStatus info;
    if (side.keys.on()) {
      info.master_key = side.keys.ring()->keys()->front().id;
      WEIR_TRY(const std::int64_t others,
               db.integer("SELECT count(*) FROM stream_keys WHERE length(wrapped) > 0 AND master "
                          "<> ?1",
                          0, info.master_key));
      info.rotation_pending = others > 0;
    }
    WEIR_TRY(const std::int64_t pages, db.integer("PRAGMA page_count", 0));
    info.bytes = static_cast<std::uint64_t>(pages) * kPageSize;
    WEIR_TRY(info.incarnation, read_incarnation(db));
    WEIR_TRY(const auto streams, list_streams(db));
    for (const StreamRecord& stream : streams) info.events += stream.next_seq - stream.first_seq;
    return info;
  }

  // In this order: readers close before the writer, and the lock goes last.
  LockFile lock_;
  std::unique_ptr<StorageThread> storage_;
  ReadThread fast_;
  ReadThread slow_;
  SqliteWriter writer_{storage_->queue()};
  SqliteEventLog events_{fast_, slow_, storage_->queue()};
  SqliteDeliveryTable deliveries_{fast_, slow_};
  SqliteFlowTable flows_{slow_};
  SqliteRecoveryTable recovery_{fast_, slow_};
  SqliteEffectTable effects_{fast_, slow_};
};

Result<LockFile> lock_folder(const Options& options) {
  if (!options.vfs.empty()) return LockFile();
  std::error_code failure;
  if (options.create) std::filesystem::create_directories(options.folder, failure);
  if (!std::filesystem::is_directory(options.folder, failure)) {
    return Error{Code::store_unreadable,
                 fmt::format("{} is no folder that can be used", options.folder),
                 "check the path and its permissions"};
  }
  return LockFile::take(options.folder + "/lock");
}

}  // namespace

Result<std::unique_ptr<ports::Store>> open(Options options) {
  if (!options.now) options.now = &async::steady_now;
  WEIR_TRY(LockFile lock, lock_folder(options));
  WEIR_TRY(Connection db, options.vfs.empty() ? open_folder_database(options.folder, options.create)
                                              : open_vfs_database(options.folder, options.vfs));
  if (!options.space && options.vfs.empty())
    options.space = folder_space(options.folder, options.reserve_bytes);
  const std::string folder = options.folder;
  const std::string vfs = options.vfs;
  const std::shared_ptr<Keyring> ring = options.keyring;
  WEIR_TRY(auto storage, StorageThread::start(std::move(options), std::move(db)));
  WEIR_TRY(Connection fast, open_reader(folder, vfs));
  WEIR_TRY(Connection slow, open_reader(folder, vfs));
  return std::unique_ptr<ports::Store>(std::make_unique<SqliteStore>(
      std::move(lock), std::move(storage), std::move(fast), std::move(slow), ring));
}

}  // namespace weir::store::sqlite
