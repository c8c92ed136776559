// SPDX-License-Identifier: Apache-2.0
// The key of a key file, which wraps the data keys of streams and nothing else.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/position.h"
#include "store/records/secret_key.h"

namespace weir::store {

struct MasterKey {
  std::string id;  // 16 hex digits out of the key itself: no file can claim another one
  SecretKey key;
};

// The text of a key file: 256 bits as base64 (RFC 4648) or 64 hex digits, on the only line that is
// neither blank nor begins with '#'. `name` stands for the file in errors, which are
// key_file_invalid and never show the text.
Result<MasterKey> parse_master_key(std::string_view text, std::string_view name);
// The text of a new key file.
std::string make_key_file();

// A data key under a master key: nonce, ciphertext, tag. Bound to stream, generation and the master
// key's id.
std::string wrap(const MasterKey& master, StreamId stream, std::uint32_t generation,
                 const SecretKey& data_key);
// Code::key_wrong if it is not what wrap() gave for these.
Result<SecretKey> unwrap(const MasterKey& master, StreamId stream, std::uint32_t generation,
                         std::string_view wrapped);

}  // namespace weir::store
