// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "recovery/explain.h"
#include "recovery/explain_why.h"
#include "recovery/references.h"

namespace weir::recovery {
namespace {

// Nothing reaches the terminal but through here.
class Page {
 public:
  void line(std::string_view text) { text_ += printable(text) + "\n"; }
  void blank() { text_ += "\n"; }
  // "Why      first", then the others below it.
  void section(std::string_view label, const std::vector<std::string>& lines) {
    for (const std::string& text : lines) {
      line(fmt::format("{:<9}{}", label, text));
      label = "";
    }
  }
  std::string take() && { return std::move(text_); }

 private:
  std::string text_;
};

std::string after_attempts(const Delivery& row) {
  return row.attempts == 0 ? "without an attempt" : "after " + counted(row.attempts, "attempt");
}

std::string reason_part(std::string_view reason) {
  return reason.empty() ? "" : fmt::format(": {}", reason);
}

std::string class_part(const Delivery& row) {
  const std::string mode = row.failure_mode.empty()
                               ? ""
                               : fmt::format("failure mode {}, ", row.failure_mode);
  return fmt::format(" ({}class {}{})", mode, to_text(row.failure),
                     row.in_doubt ? ", in doubt" : "");
}

std::string waiting_verdict(const Delivery& row, WallTime now) {
  const std::string when = row.due > now
                               ? fmt::format("WAITING until {} (in {})", moment(row.due, now),
                                             weir::to_text(row.due - now))
                               : fmt::format("WAITING for admission, due since {}",
                                             moment(row.due, now));
  return fmt::format("{} {}{}{}", when, after_attempts(row), reason_part(row.reason),
                     class_part(row));
}

std::string held_verdict(const DeliveryExplanation& delivery, WallTime now) {
  const HeldBy& by = *delivery.held_by;
  std::string text = fmt::format("HELD behind {}", by.holder);
  if (by.draining) return text + ", which is on its way";
  if (by.state) text += fmt::format(", {} since {}", to_text(*by.state), moment(by.since, now));
  return text + reason_part(by.reason);
}

std::string settled_verdict(const DeliveryExplanation& delivery, WallTime now) {
  const Settlement& settlement = *delivery.settlement;
  const std::string at = moment(delivery.settled_at, now);
  if (delivery.state == DeliveryState::filtered) {
    return fmt::format("FILTERED {}: the flow's pattern did not match", at);
  }
  return fmt::format("DONE {} after {}: {} in {}", at, counted(settlement.attempt, "attempt"),
                     settlement.status, weir::to_text(Duration{settlement.duration_us}));
}

std::string row_verdict(const Delivery& row, WallTime now) {
  const std::string at = moment(row.changed_at, now);
  switch (row.state) {
    case DeliveryState::quarantined:
      return fmt::format("QUARANTINED {} {}{}{}", at, after_attempts(row), reason_part(row.reason),
                         class_part(row));
    case DeliveryState::waiting: return waiting_verdict(row, now);
    case DeliveryState::resolved:
      return fmt::format("RESOLVED {} {}{}", at, after_attempts(row), reason_part(row.resolution));
    case DeliveryState::discarded:
      return fmt::format("DISCARDED {} {}{}", at, after_attempts(row), reason_part(row.resolution));
    case DeliveryState::done:
      return fmt::format("DONE {} {}{}", at, after_attempts(row), reason_part(row.reason));
    case DeliveryState::inFlight:
      return fmt::format("IN FLIGHT: attempt {} is running", row.attempts + 1);
    case DeliveryState::ready: return fmt::format("READY since {}{}", at, reason_part(row.reason));
    case DeliveryState::held:
    case DeliveryState::filtered: break;  // told without a row
  }
  return "";
}

std::string verdict(const DeliveryExplanation& delivery, const Explanation& of, WallTime now) {
  switch (delivery.standing) {
    case Standing::beforeStart: return "BEFORE THE FLOW'S START: this flow never gets it";
    case Standing::trimmed:
      return fmt::format("TRIMMED: the retention of stream {} ended for it", of.stream);
    case Standing::unknown: return "UNKNOWN: what the flow did with it cannot be told";
    case Standing::known: break;
  }
  if (delivery.row) return row_verdict(*delivery.row, now);
  if (delivery.settlement) return settled_verdict(delivery, now);
  if (delivery.state == DeliveryState::held) return held_verdict(delivery, now);
  if (delivery.state == DeliveryState::inFlight) return "IN FLIGHT: its first attempt is under way";
  return delivery.flow_status == FlowStatus::active
             ? "READY: waiting for its turn"
             : fmt::format("READY: the flow is {}", to_text(delivery.flow_status));
}

std::string header(const DeliveryExplanation& delivery, const Explanation& of) {
  std::string text;
  if (of.event) {
    text = fmt::format("{} {}  ", of.event->type, of.event->id);
  } else if (delivery.row) {
    text = fmt::format("{} {}  ", delivery.row->event_type, delivery.row->event_id);
  }
  if (!delivery.key.empty()) text += fmt::format("key={}  ", delivery.key);
  text += fmt::format("{} -> flow {}", of.reference, delivery.flow);
  if (delivery.flow_status == FlowStatus::removed) text += " (removed from the configuration)";
  return text;
}

// --- the table of attempts ---

using Cells = std::array<std::string, 6>;

std::string_view decision_word(const AttemptRecord& line) {
  return line.decision == DecisionKind::retryAt ? "retry" : to_text(line.decision);
}

Cells cells_of(const AttemptRecord& line, WallTime now) {
  if (line.number == 0) return {"-", moment(line.at, now), "-", "-", "-", line.note};
  const std::string outcome = line.status != 0 ? std::to_string(line.status)
                                               : std::string(to_text(line.fault));
  std::string decision(decision_word(line));
  decision += reason_part(line.note);
  if (line.replay) decision += fmt::format(" (replay {})", to_text(line.replay));
  return {std::to_string(line.number),        moment(line.at, now),
          weir::to_text(line.took),           outcome,
          std::string(to_text(line.failure)), std::move(decision)};
}

void add_table(Page& page, const Delivery& row, WallTime now) {
  if (row.history.empty()) return;
  std::vector<Cells> lines{{"#", "at", "took", "outcome", "class", "decision"}};
  for (const AttemptRecord& line : row.history) {
    lines.push_back(cells_of(line, now));
    const bool cut = &line == &row.history.front() && row.history.size() == kHistoryMax;
    if (cut)
      lines.push_back(
          {"-", "", "", "", "",
           fmt::format("(only the first and the last {} lines are kept)", kHistoryMax - 1)});
  }
  std::array<std::size_t, 6> width{};
  for (const Cells& cells : lines) {
    for (std::size_t i = 0; i + 1 < cells.size(); ++i)
      width[i] = std::max(width[i], cells[i].size());
  }
  page.blank();
  for (const Cells& cells : lines) {
    std::string text;
    for (std::size_t i = 0; i + 1 < cells.size(); ++i)
      text += fmt::format("  {:<{}}", cells[i], width[i]);
    page.line(text + "  " + cells.back());
  }
}

// --- sections ---

std::string event_line(const Explanation& of, WallTime now) {
  const ExplainedEvent& event = *of.event;
  std::string text = fmt::format("recorded {} UTC from {}", moment(of.recorded, now), event.source);
  if (!event.has_data) return text + ", no data";
  text += fmt::format(", {}", counted(event.data_bytes, "byte"));
  if (!event.datacontenttype.empty()) text += fmt::format(" of {}", event.datacontenttype);
  return text;
}

std::string replay_line(const DeliveryExplanation& delivery) {
  const bool blocked = !delivery.replay_blocked.empty();
  std::string text = blocked ? "blocked: "
                             : fmt::format("safe {}: ", to_text(delivery.replay_safe));
  for (const std::string& reason : blocked ? delivery.replay_blocked : delivery.replay_reasons)
    text += (text.ends_with(": ") ? "" : "; ") + reason;
  return text;
}

void add_group(Page& page, const DeliveryExplanation& delivery, WallTime now) {
  if (!delivery.group) return;
  const Group& group = *delivery.group;
  page.section("Group", {fmt::format("{} {}: {} in quarantine, {} ever, first {}, last {}",
                                     delivery.group_name, group.fingerprint.title,
                                     grouped(group.open), grouped(group.total),
                                     moment(group.first_at, now), moment(group.last_at, now))});
}

std::string effect_line(const ExplainedEffect& one, WallTime now) {
  const Effect& effect = one.effect;
  const bool doubt = effect.state == EffectState::inDoubt;
  return fmt::format("e{}  {}  {} {}: {}; another call {}", effect.id.value, describe(effect),
                     doubt ? "IN DOUBT since" : to_text(effect.state),
                     moment(effect.changed_at, now), effect.reason, one.next_call);
}

void add_effects(Page& page, const DeliveryExplanation& delivery, WallTime now) {
  std::vector<std::string> lines;
  for (const ExplainedEffect& one : delivery.effects) lines.push_back(effect_line(one, now));
  page.section("Effects", lines);
}

void add_revisions(Page& page, const DeliveryExplanation& delivery, WallTime now) {
  std::vector<std::string> lines;
  for (const ShownRevision& one : delivery.revisions) {
    std::string places;
    for (const policy::Change& change : one.changes)
      places += (places.empty() ? "" : ", ") + change.pointer;
    lines.push_back(fmt::format("{} by {} {}{}; changed {}", one.number, one.editor,
                                moment(one.at, now), reason_part(one.reason), places));
  }
  if (!lines.empty())
    lines.push_back(fmt::format("what is sent is revision {}; the event stays as it came",
                                delivery.row->revision));
  page.section("Edited", lines);
}

void add_delivery(Page& page, const DeliveryExplanation& delivery, const Explanation& of,
                  WallTime now) {
  page.line(header(delivery, of));
  page.line(verdict(delivery, of, now));
  if (delivery.row) add_table(page, *delivery.row, now);
  page.blank();
  if (of.event) page.section("Event", {event_line(of, now)});
  page.section("Why", delivery.why);
  add_effects(page, delivery, now);
  add_revisions(page, delivery, now);
  add_group(page, delivery, now);
  const bool quarantined = delivery.standing == Standing::known &&
                           delivery.state == DeliveryState::quarantined;
  if (quarantined) page.section("Replay", {replay_line(delivery)});
  page.section("Next", delivery.next);
  if (delivery.suggested_mode.empty()) return;
  page.section(delivery.next.empty() ? "Next" : "",
               {"name the cause: add this to failureModes in the configuration"});
  for (const std::string& line : delivery.suggested_mode) page.section("", {"  " + line});
}

}  // namespace

std::string to_text(const Explanation& explanation, WallTime now) {
  Page page;
  for (const DeliveryExplanation& delivery : explanation.deliveries) {
    if (&delivery != &explanation.deliveries.front()) page.blank();
    add_delivery(page, delivery, explanation, now);
  }
  if (!explanation.deliveries.empty()) return std::move(page).take();
  page.line(explanation.event ? fmt::format("{} {}  {}", explanation.event->type,
                                            explanation.event->id, explanation.reference)
                              : explanation.reference);
  page.line(fmt::format("No flow reads stream {}: nobody gets this event.", explanation.stream));
  if (explanation.event) page.section("Event", {event_line(explanation, now)});
  return std::move(page).take();
}

}  // namespace weir::recovery
