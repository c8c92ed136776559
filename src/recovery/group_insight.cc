// SPDX-License-Identifier: Apache-2.0
#include "recovery/group_insight.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "policy/redacted_event.h"
#include "recovery/references.h"
#include "recovery/selection.h"
#include "wire/json.h"

namespace weir::recovery {
namespace {

constexpr std::uint64_t kLookBack = 4000;  // seqs below the floor, for what passed
constexpr std::size_t kFetched = 25;       // looked into between two turns of the thread
constexpr std::size_t kAuditPage = 500;
constexpr int kAuditPages = 20;

using Visit = std::function<void(const Event&)>;

// Events as they may be shown: what is found in common is told.
async::Task<Result<>> each_event(ports::Store& store, const Live& live,
                                 std::vector<DeliveryRef> refs, Visit visit) {
  for (std::size_t from = 0; from < refs.size(); from += kFetched) {
    const auto until = std::min(from + kFetched, refs.size());
    std::vector<DeliveryRef> some(refs.begin() + static_cast<std::ptrdiff_t>(from),
                                  refs.begin() + static_cast<std::ptrdiff_t>(until));
    auto events = co_await store.events().fetch(std::move(some));
    if (!events.ok()) co_return events.error();
    for (const StoredEvent& stored : *events) {
      const auto event = decode_event(stored.record);
      if (!event.ok()) continue;
      const auto redaction = live.redaction(stored.position.stream);
      policy::RedactedEvent shown(*event, *redaction);
      visit(shown.with_data());
    }
  }
  co_return Result<>{};
}

struct GroupMembers {
  FlowId flow;
  std::vector<DeliveryRef> refs;
  std::vector<WallTime> failed_at;
};

async::Task<Result<GroupMembers>> members_of(ports::Store& store, const Live& live,
                                             std::string group) {
  auto resolved = co_await resolve_selection(store, live, Selection{.group = std::move(group)});
  if (!resolved.ok()) co_return resolved.error();
  GroupMembers members;
  auto walked = co_await for_each_selected(store, *resolved, [&](const Delivery& row) {
    members.refs.push_back(row.ref);
    members.failed_at.push_back(row.first_at);
    return members.refs.size() < kWalked;
  });
  if (!walked.ok()) co_return walked.error();
  co_return members;
}

// The newest members: those are the failures of now.
std::vector<DeliveryRef> newest(const std::vector<DeliveryRef>& refs) {
  const auto count = static_cast<std::ptrdiff_t>(std::min(refs.size(), kSampled));
  return {refs.end() - count, refs.end()};
}

async::Task<Result<std::vector<DeliveryRef>>> passed_lately(ports::Store& store, const Live& live,
                                                            FlowId flow) {
  std::vector<DeliveryRef> refs;
  Position first;
  std::uint64_t count = 0;
  for (const LiveFlow& one : live.flows()) {
    if (one.record.id != flow) continue;
    count = std::min(one.floor - 1, kLookBack);
    first = Position{.stream = one.record.stream, .seq = one.floor - count};
  }
  if (count == 0) co_return refs;
  auto settled = co_await store.deliveries().settlements(flow, first, count);
  if (!settled.ok()) co_return settled.error();
  for (auto one = settled->rbegin(); one != settled->rend() && refs.size() < kSampled; ++one) {
    if (one->first.status == 0) continue;
    refs.push_back({flow, Position{.stream = first.stream, .seq = one->first.seq}});
  }
  co_return refs;
}

void fill_histogram(const std::vector<WallTime>& times, GroupInsight& into) {
  if (times.empty()) return;
  const auto [first, last] = std::ranges::minmax(times);
  const Duration width = std::max<Duration>((last - first) / kBuckets + Duration{1},
                                            std::chrono::seconds{1});
  into.bucket = width;
  const auto index = [&](WallTime at) { return static_cast<std::size_t>((at - first) / width); };
  into.histogram.resize(index(last) + 1);
  for (std::size_t i = 0; i < into.histogram.size(); ++i)
    into.histogram[i].from = first + width * static_cast<std::int64_t>(i);
  for (const WallTime at : times) ++into.histogram[index(at)].failed;
}

// A start is told with the versions of the configuration, and what was refused changed nothing.
bool is_change(std::string_view action) {
  return action == "config.reload" || action == "config.rollback" ||
         action.starts_with("breaker.") || action.starts_with("flow.") || action == "marker";
}

async::Task<Result<std::vector<Change>>> changes_in(ports::Store& store, WallTime from,
                                                    WallTime until) {
  std::vector<Change> changes;
  std::uint64_t before = UINT64_MAX;
  for (int page = 0; page < kAuditPages; ++page) {
    auto entries = co_await store.recovery().audit(before, kAuditPage);
    if (!entries.ok()) co_return entries.error();
    for (const AuditEntry& entry : *entries) {
      before = entry.number;
      if (entry.at < from) co_return changes;
      if (entry.at > until || !is_change(entry.action)) continue;
      changes.push_back({entry.at, fmt::format("{} {}", entry.action, entry.target),
                         entry.reason.empty() ? entry.detail : entry.reason, entry.actor});
    }
    if (entries->size() < kAuditPage) break;
  }
  co_return changes;
}

}  // namespace

async::Task<Result<GroupInsight>> look_into_group(ports::Store& store, const Live& live,
                                                  std::string group,
                                                  std::vector<Change> config_changes) {
  auto known = co_await find_group(store, group);
  if (!known.ok()) co_return known.error();
  auto members = co_await members_of(store, live, known->fingerprint.hash);
  if (!members.ok()) co_return members.error();
  GroupInsight insight{.members = members->refs.size()};
  policy::Contrast contrast;
  auto failed = co_await each_event(store, live, newest(members->refs),
                                    [&](const Event& event) { contrast.add_failed(event); });
  if (!failed.ok()) co_return failed.error();
  auto refs = co_await passed_lately(store, live, known->flow);
  if (!refs.ok()) co_return refs.error();
  auto passed = co_await each_event(store, live, std::move(*refs),
                                    [&](const Event& event) { contrast.add_passed(event); });
  if (!passed.ok()) co_return passed.error();
  insight.looked_into = contrast.failed();
  insight.passed = contrast.passed();
  insight.traits = contrast.traits(10);
  fill_histogram(members->failed_at, insight);
  const WallTime first = known->first_at;
  auto changes = co_await changes_in(store, first - kBefore, first);
  if (!changes.ok()) co_return changes.error();
  insight.changes = std::move(*changes);
  for (Change& change : config_changes) {
    if (change.at >= first - kBefore && change.at <= first)
      insight.changes.push_back(std::move(change));
  }
  std::ranges::sort(insight.changes, std::ranges::greater{}, &Change::at);
  co_return insight;
}

namespace {

// {"data":{"a":{"b":[7]}}} for "data.a.b"; nothing for what a pattern cannot say.
std::string pattern_for(std::string_view path, std::string_view value) {
  if (path.ends_with(".length") || value.size() >= policy::kValueMax) return "";
  if (value.starts_with("[redacted") || value.starts_with("\"[redacted")) return "";
  const bool of_data = path.starts_with("data.");
  std::string pattern = of_data ? std::string(value) : std::string();
  if (!of_data) {
    wire::JsonWriter text;
    text.value(value);
    pattern = std::move(text).take();
  }
  pattern = "[" + pattern + "]";
  while (!path.empty()) {
    const auto dot = path.rfind('.');
    const std::string_view name = dot == path.npos ? path : path.substr(dot + 1);
    wire::JsonWriter quoted;
    quoted.value(name);
    pattern = fmt::format("{{{}:{}}}", std::move(quoted).take(), pattern);
    path = dot == path.npos ? std::string_view() : path.substr(0, dot);
  }
  return pattern;
}

std::string known_paths(const std::map<std::string, std::uint64_t>& paths) {
  std::string text;
  for (const auto& [path, count] : paths) {
    if (text.size() > 400) return text + ", ...";
    text += fmt::format("{}{}", text.empty() ? "" : ", ", path);
  }
  return text;
}

}  // namespace

async::Task<Result<GroupSplit>> split_group(ports::Store& store, const Live& live,
                                            std::string group, std::string field) {
  auto known = co_await find_group(store, std::move(group));
  if (!known.ok()) co_return known.error();
  auto members = co_await members_of(store, live, known->fingerprint.hash);
  if (!members.ok()) co_return members.error();
  std::map<std::string, std::uint64_t> values;
  std::map<std::string, std::uint64_t> paths;
  GroupSplit split;
  auto walked = co_await each_event(store, live, members->refs, [&](const Event& event) {
    ++split.members;
    std::string value;
    for (policy::Field& one : policy::fields_of(event)) {
      if (one.is_object) continue;
      ++paths[one.path];
      if (one.path == field) value = std::move(one.value);
    }
    ++values[value];
  });
  if (!walked.ok()) co_return walked.error();
  if (!paths.contains(field)) {
    co_return Error{Code::invalid_argument,
                    fmt::format("no member of the group has the field '{}'", field),
                    "they have " + known_paths(paths)};
  }
  split.values = values.size();
  for (auto& [value, count] : values) {
    split.parts.push_back({value, count, value.empty() ? "" : pattern_for(field, value)});
  }
  std::ranges::sort(split.parts, [](const GroupPart& a, const GroupPart& b) {
    return std::tie(b.members, a.value) < std::tie(a.members, b.value);
  });
  split.parts.resize(std::min(split.parts.size(), kValuesShown));
  co_return split;
}

namespace {

Result<> take_text(std::string_view name, const std::optional<std::string>& from,
                   std::string& into) {
  if (!from) return {};
  if (from->size() > kGroupTextMax) {
    return Error{Code::invalid_argument,
                 fmt::format("'{}' has {} bytes, at most {}", name, from->size(), kGroupTextMax),
                 ""};
  }
  into = *from;
  return {};
}

// Also the group that it becomes a part of, if any.
async::Task<Result<std::optional<Group>>> merge(ports::Store& store, const std::string& into,
                                                Group& group) {
  group.notes.merged_into = {};
  if (into.empty()) co_return std::optional<Group>();
  auto target = co_await find_group(store, into);
  if (!target.ok()) co_return target.error();
  bool has_parts = false;
  auto walked = co_await for_each_group(store, [&](const Group& other) {
    has_parts = has_parts || other.notes.merged_into == group.id;
    return !has_parts;
  });
  if (!walked.ok()) co_return walked.error();
  if (target->id == group.id || target->notes.merged_into || has_parts) {
    co_return Error{Code::invalid_argument, "a group is merged into one that stands for itself",
                    "neither into itself, nor in chains: weir group list"};
  }
  group.notes.merged_into = target->id;
  co_return std::optional(std::move(*target));
}

}  // namespace

async::Task<Result<Group>> annotate_group(ports::Store& store, async::Clock& clock,
                                          std::string group, GroupWord word, std::string actor,
                                          std::string reason) {
  auto known = co_await find_group(store, std::move(group));
  if (!known.ok()) co_return known.error();
  const GroupNotes before = known->notes;
  std::vector<ports::Precondition> conditions = {ports::GroupNotesAre{known->id, before}};
  GroupNotes& notes = known->notes;
  for (const auto& taken :
       {take_text("name", word.name, notes.name), take_text("owner", word.owner, notes.owner),
        take_text("note", word.note, notes.note)}) {
    if (!taken.ok()) co_return taken.error();
  }
  if (word.snooze_until) notes.snoozed_until = *word.snooze_until;
  if (word.merge_into) {
    auto merged = co_await merge(store, *word.merge_into, *known);
    if (!merged.ok()) co_return merged.error();
    if (*merged) conditions.emplace_back(ports::GroupNotesAre{(*merged)->id, (*merged)->notes});
  }
  if (notes == before) {
    co_return Error{Code::invalid_argument, "nothing about the group would change",
                    "give name, owner, note, snoozeUntil or mergeInto"};
  }
  std::string detail = fmt::format("name '{}' owner '{}' note '{}'", notes.name, notes.owner,
                                   notes.note);
  if (notes.snoozed_until != WallTime{})
    detail += " snoozed until " + to_rfc3339(notes.snoozed_until);
  if (notes.merged_into) detail += fmt::format(" merged into {}", notes.merged_into.value);
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.preconditions = std::move(conditions);
  batch.mutations.emplace_back(ports::AnnotateGroup{known->id, notes});
  batch.mutations.emplace_back(ports::AddAudit{AuditEntry{.at = clock.wall(),
                                                          .actor = std::move(actor),
                                                          .action = "group.annotate",
                                                          .target = known->fingerprint.hash,
                                                          .reason = std::move(reason),
                                                          .detail = std::move(detail)}});
  auto receipt = co_await store.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  if (!receipt->applied) {
    co_return Error{Code::conflict, "somebody else wrote about the group in between",
                    "weir group get " + known->fingerprint.hash};
  }
  co_return std::move(*known);
}

}  // namespace weir::recovery
