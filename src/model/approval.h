// SPDX-License-Identifier: Apache-2.0
// Four eyes: what somebody wants to do, and what another person said to it. As it is stored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "model/replay.h"

namespace weir {

using ApprovalId = StrongId<struct ApprovalTag>;  // written a1, a2, ...
std::string to_text(ApprovalId id);
std::optional<ApprovalId> parse_approval_id(std::string_view text);

// discard and resolve are of quarantined deliveries, effect is of an effect in doubt, remove is of
// a flow with what it left in quarantine.
enum class ApprovalAct : std::uint8_t { replay, discard, resolve, effect, remove };
std::string_view to_text(ApprovalAct act);

// Pending until somebody grants it; granted until it is used, expires or is voided.
enum class ApprovalState : std::uint8_t { pending, granted, used, expired, voided };
std::string_view to_text(ApprovalState state);

struct Approval {
  ApprovalId id;
  ApprovalAct act = ApprovalAct::replay;
  std::string target;                   // "r7", "quarantine", "e5", "flow orders"
  std::string hash;                     // of what exactly would be done: 64 hex digits
  std::string what;                     // for people: "replay r7, 4812 deliveries"
  std::string why;                      // it needs one
  Selection selection;                  // of deliveries, as it may be shown, without ids
  std::vector<std::string> references;  // of the first of them: "orders/github#42"
  std::string asker;                    // the subject who asked; "" = Weir
  std::vector<std::string> makers;      // subjects who want it, made it or changed it
  std::string reason;                   // theirs
  WallTime requested{};
  WallTime expires{};
  std::string approver;  // a subject; of broken glass nobody
  std::string with;      // what the approver came with: "t3", or a certificate's name
  std::string said;      // the approver's reason
  WallTime granted{};    // epoch zero = not, as of the following
  WallTime used{};
  WallTime voided{};
  bool break_glass = false;   // done without an approver, by whom the configuration lets
  std::uint32_t version = 0;  // one more with each change

  ApprovalState state(WallTime now) const;
  bool is_open(WallTime now) const { return state(now) <= ApprovalState::granted; }
  bool operator==(const Approval&) const = default;
};

// Stores keep no more; what is over longest makes room.
inline constexpr std::size_t kApprovalsMax = 1000;
// So many of them may wait for a yes that one subject asked for.
inline constexpr std::size_t kPendingPerAsker = 50;
inline constexpr std::size_t kApprovalReferencesMax = 20;

}  // namespace weir
