// SPDX-License-Identifier: Apache-2.0
// The first line is an event's data, the second what a person made of it. An edit that is taken
// keeps what is locked and what is hidden, can be read, and says every change.
#include <string>

#include "base/assert.h"
#include "input.h"
#include "policy/event_edit.h"
#include "policy/json_diff.h"

namespace {

using namespace weir;

constexpr std::size_t kBytesMax = 4096;

// The member of the top level, as text; "" if there is none.
std::string member_of(std::string_view json, std::string_view name) {
  const auto document = wire::parse_json(json);
  if (!document.ok() || !document->root().is(wire::JsonType::object)) return "";
  const auto member = document->root().find(name);
  return member ? std::string(member->raw()) : "";
}

void check_kept(std::string_view before, std::string_view after, std::string_view name) {
  const std::string was = member_of(before, name);
  const std::string is = member_of(after, name);
  WEIR_ASSERT(was.empty() == is.empty());
  if (was.empty()) return;
  const auto old = wire::parse_json(was);
  const auto now = wire::parse_json(is);
  WEIR_ASSERT(old.ok() && now.ok() && policy::same_json(old->root(), now->root()));
}

void check_diff(std::string_view before, std::string_view after,
                const policy::Redaction& redaction) {
  const auto changes = policy::json_diff(before, after, redaction);
  if (!changes.ok()) return;
  const auto old = wire::parse_json(before);
  const auto now = wire::parse_json(after);
  WEIR_ASSERT(changes->empty() == policy::same_json(old->root(), now->root()));
  const auto back = policy::json_diff(after, before, redaction);
  WEIR_ASSERT(back.ok() && back->size() == changes->size());
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  if (text.size() > 2 * kBytesMax) return;
  const std::string_view before = fuzz::take_line(text);
  RedactionSpec hidden;
  hidden.rules = {{RedactionRule::Kind::pointer, "/secret", {}}};
  const policy::Redaction redaction(hidden, nullptr, "secret");
  check_diff(before, text, redaction);
  Event base{.id = "1", .source = "/s", .type = "t"};
  base.data = before;
  base.has_data = true;
  FlowSpec flow;
  flow.edit = {.allowed = true, .locked = {"/id"}, .attributes = {"subject"}};
  const policy::EventEdit edit{.data = std::string(text), .attributes = {}};
  const auto edited = policy::edit_event(base, edit, {flow, redaction, kBytesMax});
  if (!edited.ok()) return;
  WEIR_ASSERT(!edited->changes.empty() && edited->changes.size() <= policy::kChangesMax);
  const auto event = decode_event(edited->record);
  WEIR_ASSERT(event.ok() && event->data.size() <= kBytesMax && event->id == base.id);
  check_kept(before, event->data, "id");
  check_kept(before, event->data, "secret");
  WEIR_ASSERT(policy::event_diff(base, *event, redaction) == edited->changes);
}
