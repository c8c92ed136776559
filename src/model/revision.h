// SPDX-License-Identifier: Apache-2.0
// A person's edit of what one delivery sends. The event stays as it came, and is revision 1; every
// edit makes the next one, and the newest is sent.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"
#include "model/position.h"

namespace weir {

inline constexpr std::uint32_t kFirstRevision = 1;  // the event as it came
inline constexpr std::uint32_t kRevisionsMax = 20;  // of one delivery, the first included

struct Revision {
  DeliveryRef ref;
  std::uint32_t number = kFirstRevision + 1;
  WallTime at{};
  std::string editor;   // as in the audit
  std::string subject;  // the editor, whatever they came with
  std::string reason;
  std::string record;  // encode_event() of what is sent
  bool operator==(const Revision&) const = default;
};

}  // namespace weir
