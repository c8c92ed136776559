// SPDX-License-Identifier: Apache-2.0
// The space left for the store, and a reserve that is given back to the disk when it is full, so
// that settling and operator writes can go on until somebody makes room.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace weir::store::sqlite {

class Space {
 public:
  virtual ~Space() = default;
  // Bytes free for us on the disk; 0 if it cannot be asked.
  virtual std::uint64_t free_bytes() = 0;
  // Makes the reserve if there is none. False without room for it.
  virtual bool hold_reserve() = 0;
  virtual void release_reserve() = 0;
  virtual bool has_reserve() const = 0;
};

// The file `reserve` in a folder.
std::unique_ptr<Space> folder_space(std::string folder, std::uint64_t reserve_bytes);

}  // namespace weir::store::sqlite
