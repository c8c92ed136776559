// SPDX-License-Identifier: Apache-2.0
#include "policy/approval.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/seeded_bug.h"
#include "base/text.h"

namespace weir::policy {
namespace {

std::string more_than(std::uint64_t deliveries, std::uint64_t limit) {
  return fmt::format("{} deliveries, more than {}", deliveries, limit);
}

std::string names(const std::vector<std::string>& subjects) {
  return fmt::format("{}", fmt::join(subjects, ", "));
}

std::string no_approver_any_more(const Approval& approval) {
  return fmt::format("{}, who approved it with {}, may not approve any more", approval.approver,
                     approval.with);
}

}  // namespace

std::string why_plan_needs_approval(const ApprovalsSpec& spec, const PlanFacts& facts) {
  if (spec.replay_deliveries && facts.deliveries > *spec.replay_deliveries)
    return more_than(facts.deliveries, *spec.replay_deliveries);
  if (spec.replay_delivered && facts.delivered) return "it delivers again what was delivered";
  if (spec.replay_in_doubt && facts.in_doubt) return "some of it is in doubt";
  if (spec.replay_edited && facts.edited > 0) return "some of its events were edited";
  return "";
}

std::string why_settling_needs_approval(const ApprovalsSpec& spec, const SettlingFacts& facts) {
  if (spec.discard_deliveries && facts.deliveries > *spec.discard_deliveries)
    return more_than(facts.deliveries, *spec.discard_deliveries);
  return spec.discard_in_doubt && facts.in_doubt ? "some of it is in doubt" : "";
}

std::string why_effect_needs_approval(const ApprovalsSpec& spec) {
  return spec.effects_resolve ? "approvals.effects.resolve says so" : "";
}

bool same_person(std::string_view subject, std::string_view other) {
  return equals_ignore_case(subject, other);
}

bool is_one_of(const std::vector<std::string>& subjects, std::string_view subject) {
  return std::ranges::any_of(subjects,
                             [&](const std::string& one) { return same_person(one, subject); });
}

void add_maker(std::vector<std::string>& makers, std::string_view subject) {
  if (!is_one_of(makers, subject)) makers.emplace_back(subject);
}

bool is_about(const Approval& approval, const ActNow& act) {
  return approval.act == act.act && approval.target == act.target && approval.hash == act.hash;
}

std::string why_no_good(const Approval& approval, const ActNow& act, bool still_approver,
                        WallTime now) {
  if (!is_about(approval, act)) return "it was approved as something else";
  const ApprovalState state = approval.state(now);
  if (state != ApprovalState::granted)
    return fmt::format("{} is {}", to_text(approval.id), to_text(state));
  if (is_one_of(act.makers, approval.approver) || is_one_of(approval.makers, approval.approver))
    return fmt::format("{} approved it, and is one of those who want it", approval.approver);
  return still_approver ? "" : no_approver_any_more(approval);
}

std::string why_not_on(const Approval& approval, std::string_view hash, bool still_approver) {
  if (approval.hash != hash) return "the plan is not the one that was approved";
  if (approval.break_glass) return "";
  return still_approver ? "" : no_approver_any_more(approval);
}

Result<> may_grant(const Approval& approval, std::string_view subject, std::string_view hash,
                   WallTime now) {
  const std::string id = to_text(approval.id);
  if (is_one_of(approval.makers, subject) && !WEIR_SEEDED_BUG("approval.by_the_same_person")) {
    return Error{Code::self_approval,
                 fmt::format("{} wants {} done ({}): somebody else has to approve it", subject,
                             approval.what, names(approval.makers)),
                 "a person is a subject, whatever token they come with"};
  }
  const ApprovalState state = approval.state(now);
  if (state != ApprovalState::pending) {
    return Error{Code::approval_over, fmt::format("{} is {}", id, to_text(state)),
                 "weir approval list"};
  }
  if (hash == approval.hash) return {};
  return Error{Code::plan_changed,
               fmt::format("{} asks for {}, not for {}", id, approval.hash, printable(hash)),
               "read it again: weir approval list"};
}

}  // namespace weir::policy
