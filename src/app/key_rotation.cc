// SPDX-License-Identifier: Apache-2.0
#include "app/key_rotation.h"

#include <fmt/format.h>

#include "app/key_files.h"
#include "base/failpoint.h"

namespace weir::app {

async::Task<Result<>> KeyRotation::finish(std::string actor, std::string reason) {
  const ports::StoreStatus info = co_await store_.info();
  if (!info.rotation_pending) co_return Result<>{};
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::RotateKeys{});
  batch.mutations.emplace_back(
      ports::AddAudit{AuditEntry{.at = clock_.wall(),
                                 .actor = std::move(actor),
                                 .action = "encryption.rotate",
                                 .target = fmt::format("master key {}", info.master_key),
                                 .reason = std::move(reason)}});
  (void)WEIR_FAILPOINT("rotation.before_commit");
  auto receipt = co_await store_.writer().commit(std::move(batch));
  (void)WEIR_FAILPOINT("rotation.after_commit");
  if (!receipt.ok()) co_return receipt.error();
  co_return Result<>{};
}

async::Task<Result<>> KeyRotation::reload(const EncryptionSpec& spec, std::string actor,
                                          std::string reason) {
  auto keys = read_key_files(spec);
  if (!keys.ok()) co_return keys.error();
  const bool wanted = *keys != nullptr;
  if (wanted != (ring_ != nullptr)) {
    co_return Error{Code::encryption_fixed,
                    wanted ? "this Weir was started without encryption"
                           : "this Weir encrypts, and the configuration names no key",
                    wanted ? "start it again to encrypt what comes" : "put 'encryption' back"};
  }
  if (!wanted) co_return Result<>{};
  const auto before = ring_->keys();
  ring_->replace(*keys);
  auto finished = co_await finish(std::move(actor), std::move(reason));
  if (!finished.ok()) ring_->replace(before);
  co_return finished;
}

}  // namespace weir::app
