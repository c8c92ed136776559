// SPDX-License-Identifier: Apache-2.0
#include "app/log_lines.h"

#include <limits>

#include <fmt/format.h>

namespace weir::app {
namespace {

using telemetry::Level;

constexpr std::size_t kPage = 500;
constexpr int kPagesMax = 20;  // at a time; what is older than that is only in the audit

bool same_deed(const AuditEntry& one, const AuditEntry& other) {
  return one.action.starts_with("quarantine.") && one.action == other.action &&
         one.actor == other.actor && one.reason == other.reason;
}

// Told by lines of their own, or of no interest to an operator.
bool is_told_elsewhere(const AuditEntry& entry) {
  return entry.action == "config.reload" || entry.action == "config.rollback" ||
         entry.action == "config.refused" || entry.action == "config.start" ||
         entry.action == "breaker.trip" || entry.action == "stream.trim" ||
         entry.action == "store.full" || entry.action == "store.room";
}

Level level_of(const AuditEntry& entry) {
  const bool by_itself = entry.actor == "weir";
  const bool halts = entry.action == "replay.stop" || entry.action == "flow.pause";
  return by_itself && halts ? Level::warning : Level::info;
}

std::string message_of(const AuditEntry& entry, std::uint64_t count) {
  if (count > 1 || entry.detail.empty()) return entry.reason;
  if (entry.reason.empty()) return entry.detail;
  return fmt::format("{} ({})", entry.reason, entry.detail);
}

void log_action(telemetry::Log& log, const AuditEntry& entry, std::uint64_t count) {
  log.write(entry.at, level_of(entry), entry.action, message_of(entry, count),
            [&](wire::JsonWriter& json) {
              if (entry.action.starts_with("flow.")) json.field("flow", entry.target);
              if (entry.action.starts_with("dependency.")) json.field("dependency", entry.target);
              if (entry.action == "replay.dry_run")
                json.field("selection", entry.target);
              else if (entry.action.starts_with("replay."))
                json.field("replay", entry.target);
              if (entry.action.starts_with("group.")) json.field("group", entry.target);
              if (entry.action.starts_with("event.")) json.field("ref", entry.target);
              if (entry.action == "marker") json.field("target", entry.target);
              if (entry.action.starts_with("token.")) json.field("token", entry.target);
              const bool quarantine = entry.action.starts_with("quarantine.");
              if (quarantine && count == 1) json.field("ref", entry.target);
              json.field("actor", entry.actor);
              if (quarantine) json.field("count", count);
            });
}

}  // namespace

void log_transition(telemetry::Log& log, WallTime at, std::string_view dependency,
                    std::string_view path, const policy::Breaker::Transition& transition) {
  using State = policy::Breaker::State;
  const bool opened = transition.to == State::open;
  // One "opened" and one "closed" per trip, whatever happens in between.
  const bool again = opened && transition.from != State::closed;
  const std::string_view event = again                              ? "breaker.reopened"
                                 : opened                           ? "breaker.opened"
                                 : transition.to == State::halfOpen ? "breaker.halfOpened"
                                                                    : "breaker.closed";
  std::string message = fmt::format("{:.3g} % of {} calls failed", transition.failure_percent,
                                    transition.calls);
  if (transition.slow_percent > 0)
    message += fmt::format(", {:.3g} % slow", transition.slow_percent);
  if (transition.by_hand) message = "by hand";
  if (opened && transition.open_until == MonoTime::max()) {
    message += "; no calls until it is given back to them";
  } else if (opened) {
    message += fmt::format("; no calls for {}", to_text(transition.open_until - transition.at));
  } else if (transition.to == State::halfOpen) {
    message = "probing";
  }
  log.write(at, opened && !again ? Level::warning : Level::info, event, message,
            [&](wire::JsonWriter& json) {
              json.field("dependency", dependency);
              if (!path.empty()) json.field("path", path);
            });
}

void log_actions(telemetry::Log& log, const std::vector<AuditEntry>& entries) {
  for (std::size_t first = 0; first < entries.size();) {
    std::size_t next = first + 1;
    while (next < entries.size() && same_deed(entries[first], entries[next])) ++next;
    if (!is_told_elsewhere(entries[first])) log_action(log, entries[first], next - first);
    first = next;
  }
}

async::Task<> AuditTail::start() {
  auto newest = co_await table_.audit(std::numeric_limits<std::int64_t>::max(), 1);
  if (newest.ok() && !newest->empty()) told_ = newest->front().number;
}

async::Task<> AuditTail::tell() {
  std::vector<AuditEntry> fresh;  // newest first
  std::uint64_t before = std::numeric_limits<std::int64_t>::max();
  for (int page = 0; page < kPagesMax; ++page) {
    auto entries = co_await table_.audit(before, page == 0 ? 16 : kPage);
    if (!entries.ok()) co_return;  // the next look tells
    if (entries->empty()) break;
    for (AuditEntry& entry : *entries) {
      if (entry.number > told_) fresh.push_back(std::move(entry));
    }
    before = entries->back().number;
    if (before <= told_ + 1) break;
  }
  if (fresh.empty()) co_return;
  told_ = fresh.front().number;
  std::ranges::reverse(fresh);
  log_actions(log_, fresh);
}

}  // namespace weir::app
