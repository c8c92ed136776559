// SPDX-License-Identifier: Apache-2.0
#include "recovery/approvals.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/failpoint.h"
#include "base/seeded_bug.h"
#include "recovery/references.h"

namespace weir::recovery {
namespace {

constexpr int kTries = 3;  // against others who make requests at the same time

Error changed_in_between() {
  return {Code::conflict, "the approval changed in between", "weir approval list"};
}

ports::AddAudit audit_of(const Approval& approval, std::string action, WallTime now,
                         std::string actor, std::string reason, std::string detail) {
  return {AuditEntry{.at = now,
                     .actor = std::move(actor),
                     .action = std::move(action),
                     .target = to_text(approval.id),
                     .reason = std::move(reason),
                     .detail = fmt::format("{} ({}): {}", approval.what, approval.hash, detail)}};
}

void put(ports::Consent& consent, Approval approval) {
  consent.preconditions.emplace_back(ports::ApprovalIs{approval.id, approval.version});
  ++approval.version;
  consent.mutations.emplace_back(ports::PutApproval{std::move(approval)});
}

Approval made_of(const Wish& wish, const Doer& doer, ApprovalId id, WallTime now, Duration lasts) {
  return {.id = id,
          .act = wish.act.act,
          .target = wish.act.target,
          .hash = wish.act.hash,
          .what = wish.what,
          .why = wish.why,
          .selection = wish.selection,
          .references = wish.references,
          .asker = doer.subject,
          .makers = wish.act.makers,
          .reason = doer.reason,
          .requested = now,
          .expires = now + lasts};
}

// There are many of them, and each list has them all.
Result<> check_reason(const std::string& reason) {
  if (reason.size() <= kApprovalReasonMax) return {};
  return Error{Code::invalid_argument,
               fmt::format("the reason has {} bytes; what is approved has at most {}",
                           reason.size(), kApprovalReasonMax),
               "say it shorter, with a link to the rest"};
}

Result<> check_selection(const Selection& selection) {
  if (encode_selection(selection).size() <= kApprovalReasonMax) return {};
  return Error{Code::invalid_argument,
               fmt::format("what selects is too long; of what is approved it has at most {} bytes",
                           kApprovalReasonMax),
               "select by group or flow, or with a shorter pattern"};
}

ApprovalId next_id(const std::vector<Approval>& all) {
  return ApprovalId{all.empty() ? 1 : all.back().id.value + 1};
}

// What goes first when there is no room. What is open goes for broken glass alone, which needs
// none.
enum class Dispensable : std::uint8_t { over, pending, granted, alarm, never };

Dispensable dispensable(const Approval& one, const std::set<std::string>& open, WallTime now) {
  const ApprovalState state = one.state(now);
  if (state == ApprovalState::pending) return Dispensable::pending;
  if (state == ApprovalState::granted) return Dispensable::granted;
  const bool used = one.used != WallTime{};
  if (used && open.contains(one.target)) return Dispensable::never;  // that run asks for it again
  const bool alarms = one.break_glass && now - one.used < kGlassAlarm;
  return alarms ? Dispensable::alarm : Dispensable::over;
}

async::Task<Result<std::set<std::string>>> open_runs(ports::Store& store) {
  auto replays = co_await store.recovery().replays();
  if (!replays.ok()) co_return replays.error();
  std::set<std::string> open;
  for (const Replay& replay : *replays) {
    if (!is_over(replay.state)) open.insert(to_text(replay.id));
  }
  co_return open;
}

// What another one takes into its transaction, so that there are no more than kApprovalsMax.
async::Task<Result<>> make_room(ports::Store& store, const std::vector<Approval>& all, WallTime now,
                                Dispensable up_to, ports::Consent& into) {
  if (all.size() < kApprovalsMax) co_return Result<>{};
  auto open = co_await open_runs(store);
  if (!open.ok()) co_return open.error();
  const auto rank = [&](const Approval& one) { return dispensable(one, *open, now); };
  const auto first = std::ranges::min_element(all, {}, rank);
  if (rank(*first) > up_to) {
    co_return Error{Code::too_many_approvals, fmt::format("there are {} requests", all.size()),
                    "they expire by themselves; an admin may take some back: weir approval void"};
  }
  into.preconditions.emplace_back(ports::ApprovalIs{first->id, first->version});
  into.mutations.emplace_back(ports::DropApproval{first->id});
  if (!first->is_open(now)) co_return Result<>{};
  into.mutations.emplace_back(audit_of(*first, "approval.void", now, "weir", "",
                                       "it made room for somebody who broke the glass"));
  co_return Result<>{};
}

Result<> check_share(const std::vector<Approval>& all, const std::string& asker, WallTime now) {
  const auto waiting = std::ranges::count_if(all, [&](const Approval& one) {
    return one.state(now) == ApprovalState::pending && policy::same_person(one.asker, asker);
  });
  if (static_cast<std::size_t>(waiting) < kPendingPerAsker) return {};
  return Error{Code::too_many_approvals,
               fmt::format("{} requests of {} wait for an approval, which is the most", waiting,
                           asker.empty() ? "Weir" : asker),
               "they expire by themselves; an admin may take some back: weir approval void"};
}

Error required(const Wish& wish, const Approval& request, const std::string& but) {
  return {
      Code::approval_required,
      fmt::format("{} needs an approval: {}{}", wish.what, wish.why, but.empty() ? "" : "; " + but),
      fmt::format("another person: `weir approval grant {} --reason \"...\"`; then the same "
                  "again",
                  to_text(request.id))};
}

}  // namespace

std::vector<std::string> first_references(const Live& live, const std::vector<DeliveryRef>& refs) {
  std::vector<std::string> first;
  for (const DeliveryRef ref : refs) {
    if (first.size() == kApprovalReferencesMax) break;
    const auto flow = live.flow(ref.flow);
    first.push_back(
        fmt::format("{}{}", flow ? flow->record.name + "/" : "", to_reference(live, ref.position)));
  }
  return first;
}

async::Task<Result<std::vector<Approval>>> Approvals::list() {
  co_return co_await store_.flows().approvals();
}

bool Approvals::still_approver(const Approval& approval) const {
  return live_.may_approve && live_.may_approve(approval.approver, approval.with);
}

async::Task<Result<std::optional<Approval>>> Approvals::newest(policy::ActNow act) {
  auto all = co_await list();
  if (!all.ok()) co_return all.error();
  for (auto one = all->rbegin(); one != all->rend(); ++one) {
    if (policy::is_about(*one, act)) co_return std::optional(std::move(*one));
  }
  co_return std::optional<Approval>();
}

async::Task<Result<ports::Consent>> Approvals::consent(Wish wish, Doer doer, WallTime now) {
  if (wish.why.empty()) co_return ports::Consent{};
  if (const auto fits = check_reason(doer.reason); !fits.ok()) co_return fits.error();
  if (const auto fits = check_selection(wish.selection); !fits.ok()) co_return fits.error();
  auto all = co_await list();
  if (!all.ok()) co_return all.error();
  std::string but;
  for (const Approval& one : *all) {
    if (!policy::is_about(one, wish.act)) continue;
    // The run that it let start goes on under it; nobody inherits broken glass.
    const bool by_another = !one.break_glass && !policy::is_one_of(wish.act.makers, one.approver);
    if (doer.goes_on && one.used != WallTime{} && now < one.expires && by_another) {
      but = policy::why_not_on(one, wish.act.hash, still_approver(one));
      if (but.empty()) co_return ports::Consent{};
    }
    if (one.state(now) != ApprovalState::granted) continue;
    but = policy::why_no_good(one, wish.act, still_approver(one), now);
    if (!but.empty()) continue;
    ports::Consent consent;
    Approval used = one;
    if (!WEIR_SEEDED_BUG("approval.reusable")) used.used = now;
    put(consent, used);
    consent.mutations.emplace_back(
        audit_of(one, "approval.use", now, doer.actor, doer.reason, "approved by " + one.approver));
    co_return consent;
  }
  if (doer.break_glass) co_return co_await break_glass(std::move(wish), std::move(doer), now);
  auto asked = co_await request(wish, std::move(doer), now);
  if (!asked.ok()) co_return asked.error();
  co_return required(wish, *asked, but);
}

async::Task<Result<ports::Consent>> Approvals::break_glass(Wish wish, Doer doer, WallTime now) {
  if (doer.reason.empty()) {
    co_return Error{Code::reason_required, "the glass is broken for a reason",
                    "add --reason TEXT: it goes into the audit and an alarm"};
  }
  auto all = co_await list();
  if (!all.ok()) co_return all.error();
  ports::Consent consent;
  auto room = co_await make_room(store_, *all, now, Dispensable::alarm, consent);
  if (!room.ok()) co_return room.error();
  Approval broken = made_of(wish, doer, next_id(*all), now, live_.approvals().expires);
  broken.break_glass = true;
  broken.used = now;
  put(consent, broken);
  consent.mutations.emplace_back(
      audit_of(broken, "approval.break_glass", now, doer.actor, doer.reason,
               fmt::format("without an approval, which it needs: {}", wish.why)));
  co_return consent;
}

async::Task<Result<Approval>> Approvals::request(Wish wish, Doer doer, WallTime now) {
  if (const auto fits = check_reason(doer.reason); !fits.ok()) co_return fits.error();
  for (int left = kTries; left > 0; --left) {
    auto all = co_await list();
    if (!all.ok()) co_return all.error();
    // One that this person may not say yes to is of no use to them, but others may.
    const auto same = std::ranges::find_if(*all, [&](const Approval& one) {
      return policy::is_about(one, wish.act) && one.state(now) == ApprovalState::pending &&
             std::ranges::all_of(wish.act.makers, [&](const std::string& maker) {
               return policy::is_one_of(one.makers, maker);
             });
    });
    if (same != all->end()) co_return *same;
    if (const auto share = check_share(*all, doer.subject, now); !share.ok())
      co_return share.error();
    ports::Consent made;
    auto room = co_await make_room(store_, *all, now, Dispensable::over, made);
    if (!room.ok()) co_return room.error();
    Approval one = made_of(wish, doer, next_id(*all), now, live_.approvals().expires);
    put(made, one);
    ++one.version;
    made.mutations.emplace_back(
        audit_of(one, "approval.request", now, doer.actor, doer.reason, wish.why));
    ports::WriteBatch batch{.lane = ports::Lane::operate};
    ports::add_to(batch, std::move(made));
    auto receipt = co_await store_.writer().commit(std::move(batch));
    if (!receipt.ok()) co_return receipt.error();
    if (receipt->applied) co_return one;
  }
  co_return changed_in_between();
}

async::Task<Result<Approval>> Approvals::grant(ApprovalId id, Grant grant, WallTime now) {
  if (grant.reason.empty()) {
    co_return Error{Code::reason_required, "an approval needs a reason",
                    "add --reason TEXT: what was looked at"};
  }
  if (const auto fits = check_reason(grant.reason); !fits.ok()) co_return fits.error();
  auto found = co_await find(id);
  if (!found.ok()) co_return found.error();
  auto may = policy::may_grant(*found, grant.subject, grant.hash, now);
  if (!may.ok()) co_return may.error();
  Approval granted = *found;
  granted.approver = grant.subject;
  granted.with = grant.with;
  granted.said = grant.reason;
  granted.granted = now;
  granted.expires = now + (live_.approvals ? live_.approvals().expires : Duration{});
  auto written = co_await write(granted,
                                audit_of(granted, "approval.grant", now, grant.actor, grant.reason,
                                         "until " + to_rfc3339(granted.expires)));
  if (!written.ok()) co_return written.error();
  (void)WEIR_FAILPOINT("approval.after_grant");
  ++granted.version;
  co_return granted;
}

async::Task<Result<Approval>> Approvals::make_void(ApprovalId id, Doer doer, WallTime now) {
  auto found = co_await find(id);
  if (!found.ok()) co_return found.error();
  if (!found->is_open(now)) {
    co_return Error{Code::approval_over,
                    fmt::format("{} is {}", to_text(id), to_text(found->state(now))),
                    "weir approval list"};
  }
  Approval over = *std::move(found);
  over.voided = now;
  auto written = co_await write(
      over, audit_of(over, "approval.void", now, doer.actor, doer.reason, "taken back"));
  if (!written.ok()) co_return written.error();
  ++over.version;
  co_return over;
}

async::Task<Result<Approval>> Approvals::find(ApprovalId id) {
  auto all = co_await list();
  if (!all.ok()) co_return all.error();
  const auto found = std::ranges::find(*all, id, &Approval::id);
  if (found != all->end()) co_return std::move(*found);
  co_return Error{Code::unknown_approval, fmt::format("there is no approval {}", to_text(id)),
                  "`weir approval list` shows those there are"};
}

async::Task<Result<>> Approvals::write(Approval changed, ports::AddAudit entry) {
  ports::Consent change;
  put(change, std::move(changed));
  change.mutations.emplace_back(std::move(entry));
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  ports::add_to(batch, std::move(change));
  auto receipt = co_await store_.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  if (!receipt->applied) co_return changed_in_between();
  co_return Result<>{};
}

async::Task<Result<std::string>> Approvals::why_not_on(std::string target, std::string hash) {
  auto all = co_await list();
  if (!all.ok()) co_return all.error();
  const Approval* last = nullptr;
  for (const Approval& one : *all) {
    if (one.act != ApprovalAct::replay || one.target != target || one.used == WallTime{}) continue;
    if (last == nullptr || one.used >= last->used) last = &one;
  }
  if (last == nullptr) co_return std::string();
  co_return policy::why_not_on(*last, hash, still_approver(*last));
}

async::Task<Result<ports::Consent>> Approvals::void_open(std::string target, std::string actor,
                                                         WallTime now) {
  auto all = co_await list();
  if (!all.ok()) co_return all.error();
  ports::Consent change;
  for (const Approval& one : *all) {
    if (one.target != target || !one.is_open(now)) continue;
    Approval over = one;
    over.voided = now;
    put(change, over);
    change.mutations.emplace_back(
        audit_of(one, "approval.void", now, actor, "", "the plan was edited"));
  }
  co_return change;
}

}  // namespace weir::recovery
