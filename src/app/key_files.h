// SPDX-License-Identifier: Apache-2.0
// Key files on disk.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "model/config_model.h"
#include "store/records/keyring.h"

namespace weir::app {

// A regular file of at most 4 KiB that nobody but its owner may read. Code::key_file_invalid.
Result<store::MasterKey> read_key_file(const std::string& path);
// The present key, then those before it; null if the configuration names none.
Result<std::shared_ptr<const store::Keyring::Keys>> read_key_files(const EncryptionSpec& spec);
// Makes one, mode 0600, and syncs it; gives its id. Refuses a file that exists.
Result<std::string> create_key_file(const std::string& path);

// A process that has keys leaves no core behind and cannot be read by others of its user.
void protect_memory();

}  // namespace weir::app
