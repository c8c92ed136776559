// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "api/answers.h"
#include "api/api.h"
#include "api/views.h"
#include "base/text.h"
#include "recovery/group_insight.h"
#include "recovery/references.h"

namespace weir::api {
namespace {

void write_traits(wire::JsonWriter& json, const std::vector<policy::Trait>& traits) {
  json.key("inCommon").begin_array();
  for (const policy::Trait& trait : traits) {
    json.begin_object().field("field", trait.path).field("absent", trait.absent);
    if (!trait.absent) json.field("value", trait.value);
    json.field("ofFailed", trait.of_failed).field("ofPassed", trait.of_passed).end_object();
  }
  json.end_array();
}

void write_insight(wire::JsonWriter& json, const recovery::GroupInsight& insight) {
  json.begin_object().field("members", insight.members).field("lookedInto", insight.looked_into);
  json.field("comparedWith", insight.passed);
  write_traits(json, insight.traits);
  json.field("bucketSeconds", std::chrono::duration<double>(insight.bucket).count());
  json.key("histogram").begin_array();
  for (const recovery::Bucket& bucket : insight.histogram) {
    json.begin_object();
    time_field(json, "from", bucket.from);
    json.field("failed", bucket.failed).end_object();
  }
  json.end_array().key("changedBefore").begin_array();
  for (const recovery::Change& change : insight.changes) {
    json.begin_object();
    time_field(json, "at", change.at);
    json.field("what", change.what).field("reason", change.reason);
    json.field("actor", change.actor).end_object();
  }
  json.end_array().end_object();
}

std::vector<recovery::Change> config_changes(const std::vector<config::Version>& versions) {
  std::vector<recovery::Change> changes;
  for (const config::Version& version : versions) {
    changes.push_back({version.at, fmt::format("config version {}", version.number), version.reason,
                       version.actor});
  }
  return changes;
}

Result<std::optional<std::string>> said(const JsonBody& body, std::string_view name) {
  if (!body.find(name)) return std::optional<std::string>{};
  WEIR_TRY(std::string text, body.text(name));
  return std::optional(std::move(text));
}

struct Annotation {
  recovery::GroupWord word;
  std::string reason;
};

Result<Annotation> annotation_of(const Call& call, WallTime now) {
  WEIR_TRY(const JsonBody body,
           JsonBody::parse(call.request.body,
                           {"name", "owner", "note", "snoozeUntil", "mergeInto", "reason"}));
  Annotation annotation;
  WEIR_TRY(annotation.word.name, said(body, "name"));
  WEIR_TRY(annotation.word.owner, said(body, "owner"));
  WEIR_TRY(annotation.word.note, said(body, "note"));
  WEIR_TRY(annotation.word.merge_into, said(body, "mergeInto"));
  WEIR_TRY(annotation.reason, body.text("reason"));
  WEIR_TRY(const auto snooze, said(body, "snoozeUntil"));
  if (!snooze) return annotation;
  // A duration counts from now on; an empty one wakes it.
  const auto lasts = parse_duration(*snooze);
  const auto until = lasts ? std::optional(now + *lasts) : parse_rfc3339(*snooze);
  if (!snooze->empty() && !until) {
    return Error{
        Code::invalid_argument,
        fmt::format("snoozeUntil '{}' is neither a time nor a duration", printable(*snooze)),
        "for example 2026-11-21T14:00:00Z, or 2h from now on"};
  }
  annotation.word.snooze_until = until.value_or(WallTime{});
  return annotation;
}

// A part is shown with the group that it was merged into, which may have no open members itself.
void add_wholes(std::vector<Group>& groups, const std::vector<Group>& all) {
  const std::vector<Group> listed = groups;
  for (const Group& part : listed) {
    const bool there = std::ranges::find(groups, part.notes.merged_into, &Group::id) !=
                       groups.end();
    if (!part.notes.merged_into || there) continue;
    const auto whole = std::ranges::find(all, part.notes.merged_into, &Group::id);
    if (whole != all.end()) groups.push_back(*whole);
  }
}

// Those among which a group's parts, and what it was merged into, are looked for.
async::Task<Result<std::vector<Group>>> read_groups(ports::Store& store) {
  constexpr std::size_t kGroupsMax = 10'000;
  std::vector<Group> all;
  GroupId before{UINT32_MAX};
  while (all.size() < kGroupsMax) {
    auto page = co_await store.recovery().groups(
        {.with_closed = true, .with_keys = true, .before = before});
    if (!page.ok()) co_return page.error();
    if (page->empty()) break;
    before = page->back().id;
    std::ranges::move(*page, std::back_inserter(all));
  }
  co_return all;
}

}  // namespace

Api::Answer Api::groups(Call call) {
  const bool with_closed = call.arg("all") == "true";
  auto groups = co_await parts_.store.recovery().groups(
      {.with_closed = with_closed, .with_keys = true});
  if (!groups.ok()) co_return net::problem_response(groups.error());
  auto all = co_await read_groups(parts_.store);
  if (!all.ok()) co_return net::problem_response(all.error());
  add_wholes(*groups, *all);
  wire::JsonWriter json;
  json.begin_object().key("groups").begin_array();
  for (const Group& group : *groups) {
    // A part whose whole is gone stands for itself.
    const bool is_part = group.notes.merged_into &&
                         std::ranges::find(*all, group.notes.merged_into, &Group::id) != all->end();
    if (!is_part) write_group(json, parts_.live, group, *all);
  }
  json.end_array().end_object();
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::group(Call call) {
  auto group = co_await recovery::find_group(parts_.store, std::string(call.param("group")));
  if (!group.ok()) co_return net::problem_response(group.error());
  co_return co_await answer_with(std::move(*group));
}

Api::Answer Api::answer_with(Group group) {
  auto keyed = co_await parts_.store.recovery().groups(
      {.with_closed = true, .with_keys = true, .hash_prefix = group.fingerprint.hash});
  if (!keyed.ok()) co_return net::problem_response(keyed.error());
  const auto found = std::ranges::find(*keyed, group.id, &Group::id);
  if (found != keyed->end()) group.keys = found->keys;
  auto all = co_await read_groups(parts_.store);
  if (!all.ok()) co_return net::problem_response(all.error());
  wire::JsonWriter json;
  write_group(json, parts_.live, group, *all);
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::annotate_group(Call call) {
  auto annotation = annotation_of(call, parts_.clock.wall());
  if (!annotation.ok()) co_return net::problem_response(annotation.error());
  auto group = co_await recovery::annotate_group(
      parts_.store, parts_.clock, std::string(call.param("group")), std::move(annotation->word),
      call.actor, std::move(annotation->reason));
  if (!group.ok()) co_return net::problem_response(group.error());
  co_return co_await answer_with(std::move(*group));
}

Api::Answer Api::group_insight(Call call) {
  auto versions = co_await parts_.history.list();
  if (!versions.ok()) co_return net::problem_response(versions.error());
  auto insight = co_await recovery::look_into_group(
      parts_.store, parts_.live, std::string(call.param("group")), config_changes(*versions));
  if (!insight.ok()) co_return net::problem_response(insight.error());
  wire::JsonWriter json;
  write_insight(json, *insight);
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::split_group(Call call) {
  auto split = co_await recovery::split_group(
      parts_.store, parts_.live, std::string(call.param("group")), std::string(call.arg("by")));
  if (!split.ok()) co_return net::problem_response(split.error());
  wire::JsonWriter json;
  json.begin_object().field("members", split->members).field("values", split->values);
  json.key("parts").begin_array();
  for (const recovery::GroupPart& part : split->parts) {
    json.begin_object().field("value", part.value).field("members", part.members);
    if (!part.where.empty()) json.key("where").raw(part.where);
    json.end_object();
  }
  json.end_array().end_object();
  co_return json_answer(std::move(json).take());
}

// Something that happened outside, such as a deploy, for those who look for a cause.
Api::Answer Api::mark(Call call) {
  auto body = JsonBody::parse(call.request.body, {"title", "target"});
  if (!body.ok()) co_return net::problem_response(body.error());
  auto title = body->text("title");
  if (!title.ok()) co_return net::problem_response(title.error());
  auto target = body->text("target");
  if (!target.ok()) co_return net::problem_response(target.error());
  if (title->empty() || title->size() > recovery::kGroupTextMax ||
      target->size() > recovery::kGroupTextMax) {
    co_return net::problem_response(
        Error{Code::invalid_argument, "a marker has a title",
              fmt::format("at most {} bytes, for example \"tracker 2.4 deployed\"",
                          recovery::kGroupTextMax)});
  }
  AuditEntry entry{.at = parts_.clock.wall(),
                   .actor = call.actor,
                   .action = "marker",
                   .target = std::move(*target),
                   .reason = std::move(*title)};
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::AddAudit{entry});
  auto receipt = co_await parts_.store.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return net::problem_response(receipt.error());
  wire::JsonWriter json;
  json.begin_object().field("title", entry.reason).field("target", entry.target);
  time_field(json, "at", entry.at);
  json.end_object();
  co_return json_answer(std::move(json).take(), 201);
}

}  // namespace weir::api
