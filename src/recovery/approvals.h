// SPDX-License-Identifier: Apache-2.0
// Requests for the yes of another person: made when something that needs one is tried, granted by
// an approver, used up in the transaction of the act. The store is all that is known of them; each
// step is one commit with its audit entry.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "model/approval.h"
#include "policy/approval.h"
#include "ports/store.h"
#include "recovery/live.h"

namespace weir::recovery {

// So long somebody who broke the glass is an alarm.
inline constexpr Duration kGlassAlarm = std::chrono::hours{24};

inline constexpr std::size_t kApprovalReasonMax = 4096;  // bytes, of those who want it and say yes

// Who does it, and how.
struct Doer {
  std::string actor;    // as in the audit
  std::string subject;  // the person, whatever they came with; "" = Weir itself
  std::string reason;
  bool break_glass = false;  // without an approver; whoever calls has checked that they may
  bool goes_on = false;      // what it was used for before, until it would have expired
};

// What is to be done, and why it needs a yes.
struct Wish {
  policy::ActNow act;
  std::string what;  // "replay r7, 4812 deliveries"
  std::string why;
  Selection selection;                  // as it may be shown, without ids
  std::vector<std::string> references;  // of the first deliveries
};

struct Grant {
  std::string actor;
  std::string subject;
  std::string with;  // see Approval::with
  std::string reason;
  std::string hash;  // of what was read
};

// "orders/github#42" of the first kApprovalReferencesMax of them, for the approver to look at.
std::vector<std::string> first_references(const Live& live, const std::vector<DeliveryRef>& refs);

class Approvals {
 public:
  Approvals(ports::Store& store, const Live& live) : store_(store), live_(live) {}

  // By id.
  async::Task<Result<std::vector<Approval>>> list();
  // What the act takes into its transaction; with nobody's yes and the glass whole, the error
  // approval_required, which names the request. There is one after that: it is made if need be.
  async::Task<Result<ports::Consent>> consent(Wish wish, Doer doer, WallTime now);
  // About this very act.
  async::Task<Result<std::optional<Approval>>> newest(policy::ActNow act);
  // The request for this act, if one is open; made if there is none.
  async::Task<Result<Approval>> request(Wish wish, Doer doer, WallTime now);
  // Says yes. unknown_approval, reason_required, conflict, and those of policy::may_grant().
  async::Task<Result<Approval>> grant(ApprovalId id, Grant grant, WallTime now);
  // A run that a yes let start: why it may not go on, or "".
  async::Task<Result<std::string>> why_not_on(std::string target, std::string hash);
  // What changing a target takes into its transaction: every open request for it is void.
  async::Task<Result<ports::Consent>> void_open(std::string target, std::string actor,
                                                WallTime now);
  // Takes back a request, or a yes that was not used. unknown_approval, approval_over, conflict.
  async::Task<Result<Approval>> make_void(ApprovalId id, Doer doer, WallTime now);

 private:
  async::Task<Result<ports::Consent>> break_glass(Wish wish, Doer doer, WallTime now);
  async::Task<Result<Approval>> find(ApprovalId id);
  // One change of one approval, with its audit entry.
  async::Task<Result<>> write(Approval changed, ports::AddAudit entry);
  bool still_approver(const Approval& approval) const;

  ports::Store& store_;
  const Live& live_;
};

}  // namespace weir::recovery
