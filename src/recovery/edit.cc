// SPDX-License-Identifier: Apache-2.0
#include "recovery/edit.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/failpoint.h"
#include "policy/redacted_event.h"
#include "recovery/references.h"

namespace weir::recovery {
namespace {

// One delivery with what it sends now.
struct Editable {
  Delivery row;
  std::string original;             // the event as it came
  std::vector<Revision> revisions;  // up to that of the row
  FlowSpec spec;                    // a reload changes nothing in the middle of an edit
  std::string reference;
  std::shared_ptr<const policy::Redaction> redaction;

  const std::string& record() const {
    return revisions.empty() ? original : revisions.back().record;
  }
  std::string base() const {
    return redaction->fingerprint(fmt::format("{} {}", row.revision, record()));
  }
};

async::Task<Result<DeliveryRef>> find_delivery(ports::Store& store, const Live& live,
                                               std::string reference, std::string flow) {
  DeliveryName name = split_name(live, reference);
  FlowId id = name.flow.value_or(FlowId{});
  if (!flow.empty()) {
    auto found = find_flow(live, flow);
    if (!found.ok()) co_return found.error();
    id = found->record.id;
  }
  if (!id) {
    co_return Error{Code::invalid_argument, "which flow? An edit is about one delivery",
                    "add --flow NAME, or write flow/stream#seq"};
  }
  auto position = co_await find_event(store, live, std::move(reference));
  if (!position.ok()) co_return position.error();
  co_return DeliveryRef{id, *position};
}

Error no_delivery(const Live& live, DeliveryRef ref) {
  const auto flow = live.flow(ref.flow);
  return Error{Code::unknown_delivery,
               fmt::format("flow {} has no failed delivery of {}", flow ? flow->record.name : "?",
                           to_reference(live, ref.position)),
               fmt::format("weir explain {}", to_reference(live, ref.position))};
}

async::Task<Result<Editable>> read_delivery(ports::Store& store, const Live& live,
                                            DeliveryRef ref) {
  auto row = co_await store.deliveries().get(ref);
  if (!row.ok()) co_return row.error();
  if (!row->has_value()) co_return no_delivery(live, ref);
  Editable found{.row = std::move(**row), .reference = to_reference(live, ref.position)};
  auto events = co_await store.events().fetch({ref});
  if (!events.ok()) co_return events.error();
  if (events->empty()) co_return no_delivery(live, ref);
  found.original = std::move(events->front().record);
  auto revisions = co_await store.deliveries().revisions(ref);
  if (!revisions.ok()) co_return revisions.error();
  std::erase_if(*revisions, [&](const Revision& one) { return one.number > found.row.revision; });
  found.revisions = std::move(*revisions);
  if (const auto flow = live.flow(ref.flow)) {
    if (flow->spec != nullptr) found.spec = *flow->spec;
    found.spec.name = flow->record.name;
  }
  found.redaction = live.redaction(ref.position.stream);
  co_return found;
}

Result<> check_state(const Editable& found) {
  if (!found.spec.edit.allowed) {
    return Error{Code::edit_off, fmt::format("flow '{}' does not allow edits", found.spec.name),
                 "edit: { allow: true } in the flow's configuration"};
  }
  if (found.row.state != DeliveryState::quarantined) {
    return Error{
        Code::wrong_state,
        fmt::format("{} is {}, not quarantined", found.reference, to_text(found.row.state)),
        fmt::format("weir explain {} --flow {}", found.reference, found.spec.name)};
  }
  if (found.row.in_doubt) {
    return Error{
        Code::edit_unsafe,
        fmt::format("{} is in doubt: it may have been applied as it was", found.reference),
        "an edited event is another request, which no handler knows again; replay it as it "
        "is, or resolve it"};
  }
  if (found.row.revision >= kRevisionsMax) {
    return Error{Code::invalid_argument, fmt::format("at most {} revisions", kRevisionsMax),
                 "publish another event instead"};
  }
  return {};
}

// An edited event has keys of its own: what was done under the first ones would be done again.
async::Task<Result<>> check_effects(ports::Store& store, DeliveryRef ref) {
  auto effects = co_await store.effects().of({ref});
  if (!effects.ok()) co_return effects.error();
  for (const Effect& effect : *effects) {
    if (effect.state == EffectState::failedNoEffect) continue;
    co_return Error{Code::edit_unsafe,
                    fmt::format("effect e{} ({}) is {}, and an edited event would do it again",
                                effect.id.value, describe(effect), to_text(effect.state)),
                    fmt::format("weir effect get e{}; replay it as it is, or resolve the delivery",
                                effect.id.value)};
  }
  co_return Result<>{};
}

Error in_replay(const Editable& found, ReplayId replay) {
  return Error{Code::already_in_replay,
               fmt::format("{} is part of {}, which sends what it was planned with",
                           found.reference, to_text(replay)),
               fmt::format("weir replay abort {}, edit, and plan anew", to_text(replay))};
}

async::Task<Result<Editable>> find_editable(ports::Store& store, const Live& live,
                                            std::string reference, std::string flow) {
  auto ref = co_await find_delivery(store, live, std::move(reference), std::move(flow));
  if (!ref.ok()) co_return ref.error();
  auto found = co_await read_delivery(store, live, *ref);
  if (!found.ok()) co_return found.error();
  if (const auto fit = check_state(*found); !fit.ok()) co_return fit.error();
  auto free = co_await check_effects(store, *ref);
  if (!free.ok()) co_return free.error();
  auto replay = co_await store.recovery().replay_of(*ref);
  if (!replay.ok()) co_return replay.error();
  if (replay->has_value()) co_return in_replay(*found, **replay);
  co_return found;
}

std::string_view attribute_of(const Event& event, std::string_view name) {
  if (name == "subject") return event.subject;
  if (name == "dataschema") return event.dataschema;
  const Extension* extension = event.find_extension(name);
  return extension == nullptr ? std::string_view{} : extension->value;
}

Result<EditDocument> document_of(const Editable& found) {
  WEIR_TRY(const Event event, decode_event(found.record()));
  WEIR_CHECK(policy::check_editable(event));
  EditDocument document{.ref = found.row.ref,
                        .reference = found.reference,
                        .flow = found.spec.name,
                        .revision = found.row.revision,
                        .base = found.base(),
                        .attributes = {},
                        .data = found.redaction->redact_data(event)};
  policy::RedactedEvent shown(event, *found.redaction);
  for (const std::string& name : found.spec.edit.attributes)
    document.attributes.emplace_back(name, attribute_of(shown.attributes(), name));
  return document;
}

Error conflict(const Editable& found) {
  if (found.revisions.empty()) {
    return Error{Code::edit_conflict, fmt::format("{} is not what was read", found.reference),
                 "read it again, and edit that"};
  }
  const Revision& newest = found.revisions.back();
  return Error{Code::edit_conflict,
               fmt::format("{} made revision {} at {}: {}", newest.editor, newest.number,
                           to_rfc3339(newest.at), newest.reason),
               "read it again, and edit that"};
}

Editable edited(const Editable& found, const EditOrder& order, std::string record, WallTime now) {
  Editable next = found;
  ++next.row.revision;
  // When it entered quarantine stays true, and whoever has read the row before sees that it is
  // another one.
  next.row.changed_at = found.row.changed_at + Duration{1};
  next.row.add_history(AttemptRecord{
      .at = now,
      .failure = found.row.failure,
      .decision = DecisionKind::defer,
      .note = fmt::format("revision {} by {}: {}", next.row.revision, order.actor, order.reason)});
  next.revisions.push_back({.ref = found.row.ref,
                            .number = next.row.revision,
                            .at = now,
                            .editor = order.actor,
                            .reason = order.reason,
                            .record = std::move(record)});
  return next;
}

ports::WriteBatch batch_of(const Editable& before, const Editable& after, const EditOrder& order,
                           const std::vector<policy::Change>& changes) {
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  const DeliveryRef ref = before.row.ref;
  batch.preconditions = {ports::DeliveryIs{ref, DeliveryState::quarantined, before.row.changed_at},
                         ports::NotInReplay{ref}};
  batch.mutations.emplace_back(ports::PutRevision{after.revisions.back()});
  batch.mutations.emplace_back(ports::PutDelivery{after.row});
  batch.mutations.emplace_back(ports::AddAudit{AuditEntry{
      .at = after.revisions.back().at,
      .actor = order.actor,
      .action = "delivery.edit",
      .target = before.reference,
      .reason = order.reason,
      // Which ones is in the revision: the names of members may be payload, too.
      .detail = fmt::format("flow {} revision {}, {} -> {}{}, changed in {} places",
                            before.spec.name, after.row.revision, before.base(), after.base(),
                            order.edit.revealed ? ", with what is redacted" : "",
                            changes.size())}});
  return batch;
}

// Who changes what is redacted could try values out: the trail says so first.
async::Task<Result<>> note_revealed(ports::Store& store, async::Clock& clock, const Editable& found,
                                    const EditOrder& order) {
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::AddAudit{AuditEntry{
      .at = clock.wall(),
      .actor = order.actor,
      .action = "event.reveal",
      .target = found.reference,
      .reason = order.reason,
      .detail = fmt::format("for an edit of its delivery in flow {}", found.spec.name)}});
  auto receipt = co_await store.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  co_return Result<>{};
}

// What has happened since it was read.
async::Task<Result<EditResult>> refused_by(ports::Store& store, const Live& live,
                                           const Editable& found) {
  auto now = co_await read_delivery(store, live, found.row.ref);
  if (!now.ok()) co_return now.error();
  if (const auto fit = check_state(*now); !fit.ok()) co_return fit.error();
  auto replay = co_await store.recovery().replay_of(found.row.ref);
  if (!replay.ok()) co_return replay.error();
  if (replay->has_value()) co_return in_replay(*now, **replay);
  co_return conflict(*now);
}

}  // namespace

std::vector<ShownRevision> shown_revisions(const std::vector<Revision>& revisions,
                                           const std::string& original,
                                           const policy::Redaction& redaction) {
  std::vector<ShownRevision> shown;
  const std::string* before = &original;
  for (const Revision& one : revisions) {
    const auto old = decode_event(*before);
    const auto now = decode_event(one.record);
    if (!old.ok() || !now.ok()) break;
    shown.push_back({.number = one.number,
                     .at = one.at,
                     .editor = one.editor,
                     .reason = one.reason,
                     .changes = policy::event_diff(*old, *now, redaction)});
    before = &one.record;
  }
  return shown;
}

async::Task<Result<EditDocument>> edit_document(ports::Store& store, const Live& live,
                                                std::string reference, std::string flow) {
  auto found = co_await find_editable(store, live, std::move(reference), std::move(flow));
  if (!found.ok()) co_return found.error();
  co_return document_of(*found);
}

async::Task<Result<EditResult>> edit_delivery(ports::Store& store, async::Clock& clock,
                                              const Live& live, EditOrder order) {
  if (order.reason.empty() && (!order.dry_run || order.edit.revealed)) {
    co_return Error{Code::reason_required, "an edit needs a reason, which is audited",
                    "add --reason TEXT"};
  }
  auto found = co_await find_editable(store, live, order.reference, order.flow);
  if (!found.ok()) co_return found.error();
  if (order.base != found->base()) co_return conflict(*found);
  if (order.edit.revealed) {
    auto noted = co_await note_revealed(store, clock, *found, order);
    if (!noted.ok()) co_return noted.error();
  }
  const auto base = decode_event(found->record());
  if (!base.ok()) co_return base.error();
  auto made = policy::edit_event(
      *base, order.edit,
      {.flow = found->spec, .redaction = *found->redaction, .event_bytes = order.event_bytes});
  if (!made.ok()) co_return made.error();
  const Editable next = edited(*found, order, std::move(made->record), clock.wall());
  auto document = document_of(next);
  if (!document.ok()) co_return document.error();
  EditResult result{.made = std::move(*document), .changes = std::move(made->changes)};
  if (order.dry_run) co_return result;
  (void)WEIR_FAILPOINT("operator.before_edit");
  auto receipt = co_await store.writer().commit(batch_of(*found, next, order, result.changes));
  if (!receipt.ok()) co_return receipt.error();
  (void)WEIR_FAILPOINT("operator.after_edit");
  if (!receipt->applied) co_return co_await refused_by(store, live, *found);
  co_return result;
}

async::Task<Result<std::vector<ShownRevision>>> list_revisions(ports::Store& store,
                                                               const Live& live,
                                                               std::string reference,
                                                               std::string flow) {
  auto ref = co_await find_delivery(store, live, std::move(reference), std::move(flow));
  if (!ref.ok()) co_return ref.error();
  auto found = co_await read_delivery(store, live, *ref);
  if (!found.ok()) co_return found.error();
  co_return shown_revisions(found->revisions, found->original, *found->redaction);
}

}  // namespace weir::recovery
