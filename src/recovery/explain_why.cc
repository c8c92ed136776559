// SPDX-License-Identifier: Apache-2.0
#include "recovery/explain_why.h"

#include <algorithm>

#include <fmt/format.h>

#include "policy/effect_weight.h"
#include "recovery/references.h"
#include "wire/json.h"

namespace weir::recovery {
namespace {

// What another try of the same event would be worth.
std::string_view meaning_of(FailureClass failure) {
  switch (failure) {
    case FailureClass::ok: return "no attempt failed";
    case FailureClass::transient: return "another try is worth it once the cause is gone";
    case FailureClass::throttled:
      return "the handler asked us to slow down; another try is worth it later";
    case FailureClass::overloaded:
      return "the handler is out of capacity; another try is worth it later";
    case FailureClass::refused: return "the handler did not look at it; another try is safe";
    case FailureClass::ambiguous:
      return "it may have been applied; another try is safe if the handler is idempotent";
    case FailureClass::permanent:
      return "it fails again until the handler or its configuration changes";
    case FailureClass::auth: return "it fails again until the credentials are right";
    case FailureClass::config:
      return "it fails again until a name, a certificate or an address is right";
    case FailureClass::conflict:
      return "it is at odds with what the handler has; look before trying again";
    case FailureClass::cancelled: return "the call was cut off; it may have been applied";
    case FailureClass::expired: return "its deadline passed; a replay gives it a new one";
    case FailureClass::interrupted:
      return "Weir ended during its calls; this event may be what ends it";
  }
  return "";
}

// A name in a command line, quoted if the shell would read it otherwise.
std::string argument(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-/:@#,+=").find(c) != std::string_view::npos;
  };
  if (!text.empty() && text.front() != '#' && text.front() != '-' &&
      std::ranges::all_of(text, plain)) {
    return std::string(text);
  }
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// One delivery, as arguments of a verb.
std::string target(const DeliveryExplanation& delivery, const Explanation& of) {
  return fmt::format("{} --flow {}", argument(of.reference), argument(delivery.flow));
}

const AttemptRecord* last_attempt(const Delivery& row) {
  const auto last = std::find_if(row.history.rbegin(), row.history.rend(),
                                 [](const AttemptRecord& line) { return line.number > 0; });
  return last == row.history.rend() ? nullptr : &*last;
}

bool has_answer(const AttemptRecord* attempt) {
  return attempt != nullptr && (attempt->status != 0 || attempt->fault != Fault::none);
}

// What people did with it in quarantine decided nothing.
bool is_remark(const Delivery& row, const AttemptRecord& line) {
  return row.state == DeliveryState::quarantined && line.number == 0 &&
         line.decision == DecisionKind::defer;
}

// The rule that decided last: the first word of the note "rule: reason".
std::string last_rule(const Delivery& row) {
  const auto last = std::find_if(row.history.rbegin(), row.history.rend(),
                                 [&](const AttemptRecord& line) { return !is_remark(row, line); });
  if (last == row.history.rend()) return "";
  const std::string& note = last->note;
  const auto end = note.find(": ");
  return end == note.npos ? "" : note.substr(0, end);
}

void explain_dependency(DeliveryExplanation& delivery) {
  if (!delivery.dependency_state) return;
  const LiveDependency& state = *delivery.dependency_state;
  if (state.breaker_open) {
    delivery.why.push_back(
        fmt::format("circuit breaker of {}: {}", delivery.dependency, state.breaker));
  }
  if (!state.refusal.empty() && state.refusal != state.breaker) {
    delivery.why.push_back(
        fmt::format("{} gets no calls now: {}", delivery.dependency, state.refusal));
  }
}

void explain_flow_status(DeliveryExplanation& delivery, WallTime now) {
  if (delivery.flow_status == FlowStatus::active) return;
  std::string sentence = fmt::format("flow {} is {}", delivery.flow, to_text(delivery.flow_status));
  if (delivery.flow_since != WallTime{}) sentence += " since " + moment(delivery.flow_since, now);
  if (!delivery.flow_reason.empty()) sentence += ": " + delivery.flow_reason;
  delivery.why.push_back(std::move(sentence));
}

void explain_group(DeliveryExplanation& delivery) {
  if (!delivery.group) {
    if (delivery.row->group)
      delivery.why.emplace_back(
          "its failure group is not among the 1,000 newest, so it is not shown");
    return;
  }
  const Group& group = *delivery.group;
  const std::uint64_t others = group.open > 0 ? group.open - 1 : 0;
  std::string sentence = others == 0 ? fmt::format("nothing else in quarantine failed the same way")
                         : others == 1
                             ? "1 other failed the same way"
                             : fmt::format("{} others failed the same way", grouped(others));
  sentence += fmt::format(" (group {})", delivery.group_name);
  if (group.keys > 0) sentence += fmt::format("; {} affected", counted(group.keys, "key"));
  delivery.why.push_back(std::move(sentence));
}

bool has_held_effect(const DeliveryExplanation& delivery) {
  return std::ranges::any_of(delivery.effects, &ExplainedEffect::held);
}

// Three lines that would name this cause; only what an outcome shows can be matched.
void suggest_mode(DeliveryExplanation& delivery) {
  const AttemptRecord* attempt = last_attempt(*delivery.row);
  // The handler's answer is not the cause.
  if (!has_answer(attempt) || has_held_effect(delivery)) return;
  const std::string what = attempt->status != 0 ? std::to_string(attempt->status)
                                                : std::string(to_text(attempt->fault));
  std::string match = attempt->status != 0 ? fmt::format("status: [{}]", what)
                                           : fmt::format("fault: [{}]", what);
  constexpr std::string_view kProblem = "problem ";
  constexpr std::string_view kTitle = "problem title ";
  if (delivery.group) {
    const std::string_view reason = delivery.group->fingerprint.normalised;
    if (reason.starts_with(kProblem) && !reason.starts_with(kTitle)) {
      match += ", problemType: [";
      wire::append_json_string(match, reason.substr(kProblem.size()));
      match += "]";
    }
  }
  const std::string name = fmt::format(
      "{}-{}", delivery.dependency.empty() ? delivery.flow : delivery.dependency, what);
  delivery.suggested_mode = {fmt::format("- name: {}", name),
                             fmt::format("  match: {{ {} }}", match),
                             fmt::format("  runbook: docs/runbooks/{}.md", name)};
}

void explain_mode(DeliveryExplanation& delivery) {
  const Delivery& row = *delivery.row;
  if (row.failure_mode.empty()) {
    delivery.why.emplace_back("no named failure mode matched");
    suggest_mode(delivery);
  } else if (!delivery.mode_is_configured) {
    delivery.why.push_back(
        fmt::format("failure mode {} is no longer in the configuration", row.failure_mode));
  } else if (delivery.runbook.empty()) {
    delivery.why.push_back(fmt::format("failure mode {} names no runbook", row.failure_mode));
  }
}

void explain_row_past(DeliveryExplanation& delivery) {
  const Delivery& row = *delivery.row;
  if (row.replays > 0)
    delivery.why.push_back(fmt::format("replayed {} before", counted(row.replays, "time")));
  if (row.interruptions > 0) {
    delivery.why.push_back(
        fmt::format("{}: Weir ended while it was being delivered; these are not attempts",
                    counted(row.interruptions, "interruption")));
  }
  if (row.in_doubt && !has_held_effect(delivery))
    delivery.why.emplace_back("in doubt: nobody knows whether the handler applied it");
  if (delivery.holds > 0) {
    delivery.why.push_back(fmt::format(
        "{} of key {} {} held behind this one",
        delivery.holds == 1 ? "1 later delivery" : grouped(delivery.holds) + " later deliveries",
        row.key, delivery.holds == 1 ? "is" : "are"));
  }
}

void find_replay_blocks(DeliveryExplanation& delivery) {
  if (delivery.flow_status == FlowStatus::removed)
    delivery.replay_blocked.emplace_back("the flow was removed");
  if (delivery.flow_status == FlowStatus::paused)
    delivery.replay_blocked.emplace_back("the flow is paused");
  if (delivery.row->archived)
    delivery.replay_blocked.emplace_back("it is archived: weir quarantine restore");
  if (delivery.row->exhausted) {
    delivery.replay_blocked.push_back(
        fmt::format("it came back from {} replays: only a plan that names it takes it again",
                    delivery.row->replays));
  }
  if (delivery.in_replay) {
    delivery.replay_blocked.push_back(
        fmt::format("it belongs to replay {} already", to_text(*delivery.in_replay)));
  }
  if (delivery.dependency_state && delivery.dependency_state->breaker_open) {
    delivery.replay_blocked.push_back(
        fmt::format("breaker {}", delivery.dependency_state->breaker));
  }
  for (const ExplainedEffect& one : delivery.effects) {
    if (!one.held) continue;
    delivery.replay_blocked.push_back(
        fmt::format("effect e{} ({}) is in doubt", one.effect.id.value, describe(one.effect)));
  }
}

// A replay calls the handler again: harmless where it was never applied, or where the handler takes
// a repeat as one.
void judge_replay(DeliveryExplanation& delivery) {
  const Delivery& row = *delivery.row;
  if (!delivery.replay_blocked.empty()) {
    delivery.replay_safe = Safety::no;
    return;
  }
  const auto unknown = [&](std::string reason) {
    delivery.replay_safe = Safety::unknown;
    delivery.replay_reasons.push_back(std::move(reason));
  };
  delivery.replay_safe = Safety::yes;
  if (row.in_doubt && !delivery.idempotent)
    unknown("it may have been applied, and the flow says idempotent: false");
  if (row.failure == FailureClass::expired) unknown("its deadline had passed: it may be too late");
  if (!delivery.matches_now) unknown("the flow's pattern does not match this event any more");
  if (delivery.replay_safe != Safety::yes) return;
  delivery.replay_reasons.emplace_back(
      row.revision != kFirstRevision
          ? fmt::format("revision {} goes under an Idempotency-Key of its own", row.revision)
      : delivery.idempotent ? "the handler takes a repeat under its Idempotency-Key as one"
                            : "no attempt was applied");
}

std::string_view meaning_of(const DeliveryExplanation& delivery, std::string_view rule) {
  if (rule != policy::kRuleEffectInDoubt) return meaning_of(delivery.row->failure);
  return has_held_effect(delivery)
             ? "an effect of it may have happened, and is refused until somebody says whether it "
               "did: another try would fail in the same way"
             : "an effect of it was in doubt, and is not any more: another try is told what was "
               "said about it";
}

void explain_quarantined(DeliveryExplanation& delivery, const Explanation& of, WallTime now) {
  const Delivery& row = *delivery.row;
  const std::string rule = last_rule(row);
  delivery.why.push_back(fmt::format("{}class {}: {}",
                                     rule.empty() ? "" : fmt::format("rule {}, ", rule),
                                     to_text(row.failure), meaning_of(delivery, rule)));
  explain_mode(delivery);
  explain_group(delivery);
  explain_row_past(delivery);
  explain_flow_status(delivery, now);
  explain_dependency(delivery);
  find_replay_blocks(delivery);
  judge_replay(delivery);
  if (!delivery.runbook.empty()) delivery.next.push_back("runbook " + delivery.runbook);
  for (const ExplainedEffect& one : delivery.effects) {
    if (!one.held) continue;
    delivery.next.push_back(fmt::format("weir effect get e{}", one.effect.id.value));
    delivery.next.push_back(
        fmt::format("weir effect resolve e{} --as confirmed|failedNoEffect --reason TEXT",
                    one.effect.id.value));
  }
  if (row.in_doubt && !has_held_effect(delivery))
    delivery.next.emplace_back("find out whether it was applied, before anything else");
  if (delivery.in_replay) {
    delivery.next.push_back("weir replay get " + to_text(*delivery.in_replay));
  } else if (delivery.flow_status == FlowStatus::removed) {
    delivery.next.push_back(
        fmt::format("put flow {} back into the configuration to replay it", delivery.flow));
  } else if (has_held_effect(delivery)) {
    // A replay would be refused its effect; once that is resolved, this says how to replay.
  } else if (delivery.group && row.revision == kFirstRevision) {
    delivery.next.push_back(
        fmt::format("weir replay plan --group {} --dry-run", delivery.group_name));
  } else {
    delivery.next.push_back(fmt::format("weir replay plan {} --dry-run", target(delivery, of)));
  }
  delivery.next.push_back(
      fmt::format("weir quarantine resolve {} --reason TEXT", target(delivery, of)));
}

void add_obstacles(DeliveryExplanation& delivery, WallTime now) {
  explain_flow_status(delivery, now);
  explain_dependency(delivery);
  if (delivery.flow_status == FlowStatus::paused) {
    delivery.next.push_back(fmt::format("weir flow resume {}", argument(delivery.flow)));
  }
  if (delivery.flow_status == FlowStatus::removed) {
    delivery.next.push_back(
        fmt::format("put flow {} back into the configuration to have it delivered", delivery.flow));
  }
  const bool waits = delivery.dependency_state && (delivery.dependency_state->breaker_open ||
                                                   !delivery.dependency_state->refusal.empty());
  if (waits)
    delivery.next.push_back(fmt::format("weir dependency get {}", argument(delivery.dependency)));
}

void explain_waiting(DeliveryExplanation& delivery, WallTime now) {
  const Delivery& row = *delivery.row;
  if (delivery.max_attempts > 0) {
    delivery.why.push_back(fmt::format(
        "{} of {} made{}", row.attempts_this_round, counted(delivery.max_attempts, "attempt"),
        row.deadline == WallTime{} ? "" : "; deadline " + moment(row.deadline, now)));
  }
  if (!row.failure_mode.empty() && !delivery.runbook.empty()) {
    delivery.next.push_back("runbook " + delivery.runbook);
  }
  explain_row_past(delivery);
  add_obstacles(delivery, now);
  if (delivery.next.empty())
    delivery.next.emplace_back("nothing to do: Weir tries again by itself");
}

void explain_held(DeliveryExplanation& delivery, WallTime now) {
  const HeldBy& by = *delivery.held_by;
  delivery.why.push_back(
      fmt::format("key {} is held by {}: one delivery per key, in the order of the stream",
                  delivery.key, by.holder));
  if (by.count > 0) delivery.why.push_back(fmt::format("{} behind it", counted(by.count, "event")));
  if (by.draining) delivery.why.emplace_back("the hold is over: those behind it follow one by one");
  if (!by.draining && !by.reason.empty()) {
    delivery.why.push_back(
        fmt::format("{} is {}: {}", by.holder, by.state ? to_text(*by.state) : "held", by.reason));
  }
  delivery.next.push_back(
      fmt::format("weir explain {} --flow {}", argument(by.holder), argument(delivery.flow)));
  add_obstacles(delivery, now);
}

void explain_ready(DeliveryExplanation& delivery, WallTime now) {
  if (delivery.row) {
    explain_row_past(delivery);
  } else if (!delivery.matches_now) {
    delivery.why.emplace_back(
        "the flow's pattern does not match it: it will be settled as filtered");
  } else if (delivery.held_by) {
    delivery.why.push_back(fmt::format("key {} is held by {}: it will wait behind it", delivery.key,
                                       delivery.held_by->holder));
    delivery.next.push_back(fmt::format(
        "weir explain {} --flow {}", argument(delivery.held_by->holder), argument(delivery.flow)));
  } else if (delivery.ahead > 0) {
    delivery.why.push_back(fmt::format("at most {} of the stream come first",
                                       counted(delivery.ahead, "earlier event")));
  } else {
    delivery.why.emplace_back("no earlier event of the stream is in its way");
  }
  add_obstacles(delivery, now);
}

void explain_filtered(DeliveryExplanation& delivery) {
  if (delivery.flow_status == FlowStatus::removed) {
    delivery.why.emplace_back("the pattern that it had then is no longer known");
  } else if (delivery.matches_now) {
    delivery.why.emplace_back("the pattern was another one then: today's would match it");
  } else {
    delivery.why.push_back("pattern " + delivery.pattern);
  }
}

void explain_unplaced(DeliveryExplanation& delivery, const Explanation& of, WallTime now) {
  if (delivery.standing == Standing::beforeStart) {
    delivery.why.push_back(
        fmt::format("{} was in the stream before the flow started, so it is not part of the flow",
                    of.reference));
  } else if (delivery.standing == Standing::trimmed) {
    delivery.why.emplace_back(
        "retention keeps what an open delivery needs, so nothing was open in this flow");
    delivery.why.emplace_back(
        "whether it was delivered, filtered or before the flow's start cannot be known any more");
  } else {
    delivery.why.emplace_back(
        "the flow has dealt with it, and neither a row nor a settlement says how");
    delivery.why.emplace_back(delivery.flow_status == FlowStatus::removed
                                  ? "it may be held: the removed flow's ordering key is not known"
                                  : "explain it again; if this stays, run weir store check");
  }
  explain_flow_status(delivery, now);
}

}  // namespace

std::string_view to_text(Safety safety) {
  switch (safety) {
    case Safety::yes: return "yes";
    case Safety::no: return "no";
    case Safety::unknown: return "unknown";
  }
  return "";
}

std::string counted(std::uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(number), noun, number == 1 ? "" : "s");
}

std::string moment(WallTime time, WallTime now) {
  const std::string day = to_rfc3339(time).substr(0, 10);
  const bool today = day == to_rfc3339(now).substr(0, 10);
  return today ? to_clock_text(time) : day + " " + to_clock_text(time);
}

void add_sentences(DeliveryExplanation& delivery, const Explanation& of, WallTime now) {
  if (delivery.standing != Standing::known) return explain_unplaced(delivery, of, now);
  switch (delivery.state) {
    case DeliveryState::quarantined: return explain_quarantined(delivery, of, now);
    case DeliveryState::waiting: return explain_waiting(delivery, now);
    case DeliveryState::held: return explain_held(delivery, now);
    case DeliveryState::ready: return explain_ready(delivery, now);
    case DeliveryState::filtered: return explain_filtered(delivery);
    case DeliveryState::inFlight:
      if (delivery.row) return explain_row_past(delivery);
      delivery.why.emplace_back(
          "it was handed out for its first attempt: called now, or about to be");
      return;
    case DeliveryState::done:
    case DeliveryState::resolved:
    case DeliveryState::discarded:
      if (delivery.row) explain_row_past(delivery);
      if (delivery.flow_status == FlowStatus::removed) explain_flow_status(delivery, now);
      return;
  }
}

}  // namespace weir::recovery
