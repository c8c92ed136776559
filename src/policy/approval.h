// SPDX-License-Identifier: Apache-2.0
// Four eyes, decided: what needs the yes of another person, and whether a yes is good for this act
// now. A person is a subject, whatever token or certificate they come with; upper and lower case
// are the same.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/approval.h"
#include "model/config_model.h"

namespace weir::policy {

struct PlanFacts {
  std::uint64_t deliveries = 0;
  bool in_doubt = false;     // one of them, or one of their effects
  bool delivered = false;    // a rewind
  std::uint64_t edited = 0;  // whose event was edited
};

struct SettlingFacts {
  std::uint64_t deliveries = 0;
  bool in_doubt = false;  // one of them, or one of their effects
};

// Why it needs one, as a sentence's end: "4812 deliveries, more than 1000"; "" = it needs none.
std::string why_plan_needs_approval(const ApprovalsSpec& spec, const PlanFacts& facts);
std::string why_settling_needs_approval(const ApprovalsSpec& spec, const SettlingFacts& facts);
std::string why_effect_needs_approval(const ApprovalsSpec& spec);

bool same_person(std::string_view subject, std::string_view other);
bool is_one_of(const std::vector<std::string>& subjects, std::string_view subject);
void add_maker(std::vector<std::string>& makers, std::string_view subject);

// What is about to be done.
struct ActNow {
  ApprovalAct act = ApprovalAct::replay;
  std::string target;
  std::string hash;
  std::vector<std::string> makers;  // the subject who does it among them
};

// The request is about this very act.
bool is_about(const Approval& approval, const ActNow& act);
// Why a yes is no good for the act now; "" = it is. still_approver: what the approver came with is
// still theirs and still lets them approve.
std::string why_no_good(const Approval& approval, const ActNow& act, bool still_approver,
                        WallTime now);
// Why a run that a yes let start may not go on, likewise. Its expiry does not matter any more.
std::string why_not_on(const Approval& approval, std::string_view hash, bool still_approver);

// Whether this subject may say yes to it. self_approval, approval_over (used, expired, voided,
// granted already), plan_changed (`hash`, of what they read, is not what was asked for).
Result<> may_grant(const Approval& approval, std::string_view subject, std::string_view hash,
                   WallTime now);

}  // namespace weir::policy
