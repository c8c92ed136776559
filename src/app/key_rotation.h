// SPDX-License-Identifier: Apache-2.0
// Brings the store's master key in line with the configuration, without a pause.
#pragma once

#include <memory>
#include <string>

#include "async/clock.h"
#include "async/task.h"
#include "model/config_model.h"
#include "ports/store.h"
#include "store/records/keyring.h"

namespace weir::app {

class KeyRotation {
 public:
  // `ring` is the store's; null = the store is plain.
  KeyRotation(ports::Store& store, async::Clock& clock, std::shared_ptr<store::Keyring> ring)
      : store_(store), clock_(clock), ring_(std::move(ring)) {}

  // Wraps every data key by the present master key, audited with it, if some are not. A stop in
  // between leaves all of them as they were.
  async::Task<Result<>> finish(std::string actor, std::string reason);
  // The files of a reload. key_file_invalid, encryption_fixed, precondition_failed if a key is
  // missing that is still needed; then the keys stay as they were.
  async::Task<Result<>> reload(const EncryptionSpec& spec, std::string actor, std::string reason);

 private:
  ports::Store& store_;
  async::Clock& clock_;
  std::shared_ptr<store::Keyring> ring_;
};

}  // namespace weir::app
