// SPDX-License-Identifier: Apache-2.0
#include "api/watch.h"

#include <algorithm>

#include "api/api.h"

namespace weir::api {
namespace {

// Two alarms are the same one if their moments differ by less: those are reckoned from two clocks.
constexpr Duration kSameMoment = std::chrono::milliseconds{100};

bool holds(const std::vector<Alarm>& alarms, const Alarm& wanted) {
  return std::ranges::any_of(alarms, [&](const Alarm& one) {
    const Duration apart = one.since < wanted.since ? wanted.since - one.since
                                                    : one.since - wanted.since;
    return one.type == wanted.type && one.name == wanted.name && apart < kSameMoment;
  });
}

void append_event(std::string& text, std::string_view name, const Alarm& alarm) {
  wire::JsonWriter json;
  write_alarm(json, alarm);
  text += fmt::format("event: {}\ndata: {}\n\n", name, std::move(json).take());
}

}  // namespace

std::string all_alarms_event(const std::vector<Alarm>& now) {
  wire::JsonWriter json;
  write_alarms(json, now);
  return fmt::format("event: alarms\ndata: {}\n\n", std::move(json).take());
}

std::string alarm_events(const std::vector<Alarm>& before, const std::vector<Alarm>& now) {
  std::string text;
  for (const Alarm& alarm : before) {
    if (!holds(now, alarm)) append_event(text, "alarmCleared", alarm);
  }
  for (const Alarm& alarm : now) {
    if (!holds(before, alarm)) append_event(text, "alarmRaised", alarm);
  }
  return text;
}

struct Api::Watcher {
  Watcher(ApiParts& the_parts, std::size_t& count, Caller who)
      : parts(the_parts), watchers(count), caller(std::move(who)) {
    ++watchers;
  }
  ~Watcher() { --watchers; }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  ApiParts& parts;
  std::size_t& watchers;
  Caller caller;
  std::vector<Alarm> told;
  MonoTime spoke = MonoTime::min();
  MonoTime next_look = MonoTime::min();
};

// What there is to say now, or "".
std::string Api::look(Watcher& watcher, MonoTime now) {
  const ApiParts& parts = watcher.parts;
  std::vector<Alarm> alarms = alarms_of(parts.engine, parts.quarantine_watch, now,
                                        parts.clock.wall());
  const bool first = watcher.spoke == MonoTime::min();
  std::string text = first ? all_alarms_event(alarms) : alarm_events(watcher.told, alarms);
  watcher.told = std::move(alarms);
  if (text.empty() && now - watcher.spoke >= kWatchHeartbeat) text = ": watching\n\n";
  if (!text.empty()) watcher.spoke = now;
  return text;
}

async::Task<std::string> Api::next_change(std::shared_ptr<Watcher> watcher) {
  ApiParts& parts = watcher->parts;
  while (parts.ready() && parts.gate.is_valid(watcher->caller)) {
    const MonoTime now = parts.clock.mono();
    if (now >= watcher->next_look) {
      watcher->next_look = now + kLookForChanges;
      std::string text = look(*watcher, now);
      if (!text.empty()) co_return text;
    }
    co_await parts.clock.sleep_until(std::min(watcher->next_look, now + kLookForToken));
  }
  co_return std::string{};
}

Api::Answer Api::watch(Call call) {
  if (watchers_ >= kWatchersMax) {
    co_return net::problem_response(Error{Code::overloaded,
                                          fmt::format("{} clients watch already", watchers_),
                                          "close one, or ask /v1/status"});
  }
  auto watcher = std::make_shared<Watcher>(parts_, watchers_, std::move(call.caller));
  co_return net::HttpResponse{
      .status = 200,
      .headers = {{"content-type", "text/event-stream"}, {"cache-control", "no-store"}},
      .next_piece = [watcher] { return next_change(watcher); }};
}

}  // namespace weir::api
