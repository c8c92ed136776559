// SPDX-License-Identifier: Apache-2.0
#include "app/journal_load.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "app/commands.h"
#include "app/output.h"

namespace weir::app {
namespace {

constexpr std::uint64_t kEventsPage = 1000;

struct Recorded {
  std::uint64_t seq = 0;
  WallTime at{};
};

// 42 of "github#42"; 0 if that is no reference.
std::uint64_t seq_of(std::string_view reference) {
  const auto hash = reference.rfind('#');
  std::uint64_t seq = 0;
  if (hash != reference.npos)
    std::from_chars(reference.data() + hash + 1, reference.data() + reference.size(), seq);
  return seq;
}

struct Page {
  int exit = kExitOk;
  std::vector<Recorded> events;
  std::uint64_t next = 0;  // 0 = nothing follows
};

Page read_page(Session& session, const std::string& stream, std::uint64_t from) {
  const Reply reply = session.get("/v1/events" +
                                  query_of({{"stream", stream},
                                            {"from", from == 0 ? "" : std::to_string(from)},
                                            {"limit", std::to_string(kEventsPage)}}));
  if (!reply) return {.exit = reply.exit};
  Page page;
  const auto events = member_at(reply.root(), "events");
  if (!events) return page;
  for (const wire::Json event : *events) {
    const auto at = parse_rfc3339(text_at(event, "recordedAt"));
    const std::uint64_t seq = seq_of(text_at(event, "ref"));
    if (at && seq > 0) page.events.push_back({seq, *at});
  }
  if (!page.events.empty()) page.next = page.events.back().seq + 1;
  return page;
}

// Backwards from the newest, a thousand numbers at a time, until before `since`.
int read_stream(Session& session, const std::string& stream, WallTime since,
                std::vector<Recorded>& into) {
  Page newest = read_page(session, stream, 0);
  if (newest.exit != kExitOk || newest.events.empty()) return newest.exit;
  into = std::move(newest.events);
  std::uint64_t first = into.front().seq;
  bool reached = into.front().at < since;
  while (first > 1 && !reached && into.size() < kJournalEventsMax) {
    const std::uint64_t start = first > kEventsPage ? first - kEventsPage : 1;
    std::vector<Recorded> older;
    for (std::uint64_t from = start; from != 0 && from < first;) {
      const Page page = read_page(session, stream, from);
      if (page.exit != kExitOk) return page.exit;
      for (const Recorded& event : page.events) {
        if (event.seq < first) older.push_back(event);
      }
      from = page.next;
    }
    if (older.empty()) break;  // retention took what was before
    reached = older.front().at < since;
    into.insert(into.end(), older.begin(), older.end());
    first = start;
  }
  return kExitOk;
}

}  // namespace

int read_journal(Session& session, Duration window,
                 std::map<std::string, std::vector<Duration>>& into) {
  const WallTime since = session.now() - window;
  const Reply reply = session.get("/v1/streams");
  if (!reply) return reply.exit;
  const auto streams = member_at(reply.root(), "streams");
  if (!streams) return kExitOk;
  for (const wire::Json stream : *streams) {
    const std::string name = text_at(stream, "stream");
    std::vector<Recorded> events;
    const int exit = read_stream(session, name, since, events);
    if (exit != kExitOk) return exit;
    std::vector<Duration> arrivals;
    for (const Recorded& event : events) {
      if (event.at >= since && event.at < since + window) arrivals.push_back(event.at - since);
    }
    std::ranges::sort(arrivals);
    session.note(
        fmt::format("{}: {} events in the last {}", name, arrivals.size(), weir::to_text(window)));
    if (!arrivals.empty()) into.insert_or_assign(name, std::move(arrivals));
  }
  return kExitOk;
}

}  // namespace weir::app
