// SPDX-License-Identifier: Apache-2.0
// Edits of what a quarantined delivery sends.
#include "api/answers.h"
#include "api/api.h"
#include "base/text.h"
#include "recovery/edit.h"

namespace weir::api {
namespace {

using wire::JsonType;
using wire::JsonWriter;

void write_changes(JsonWriter& json, const std::vector<policy::Change>& changes) {
  json.key("changes").begin_array();
  for (const policy::Change& change : changes) {
    json.begin_object().field("pointer", change.pointer);
    if (!change.before.empty()) json.key("before").raw(change.before);
    if (!change.after.empty()) json.key("after").raw(change.after);
    json.end_object();
  }
  json.end_array();
}

void write_names(JsonWriter& json, const recovery::EditDocument& document) {
  json.field("ref", document.reference).field("flow", document.flow);
  json.field("revision", document.revision).field("base", document.base);
}

net::HttpResponse private_answer(JsonWriter json) {
  net::HttpResponse answer = json_answer(std::move(json).take());
  answer.headers.push_back({"cache-control", "no-store"});
  return answer;
}

Result<> read_attributes(const JsonBody& body, policy::EventEdit& edit) {
  const auto attributes = body.find("attributes");
  if (!attributes) return {};
  const Error wrong{Code::invalid_argument, "'attributes' is no object of texts",
                    "{\"subject\": \"new\"}; null removes an attribute"};
  if (!attributes->is(JsonType::object)) return wrong;
  for (const wire::Json one : *attributes) {
    std::optional<std::string> value;
    if (one.is(JsonType::string)) value = std::string(one.string());
    if (!value && !one.is(JsonType::null)) return wrong;
    edit.attributes.emplace_back(std::string(one.key()), std::move(value));
  }
  return {};
}

Result<recovery::EditOrder> edit_order(const Call& call) {
  WEIR_TRY(const JsonBody body,
           JsonBody::parse(call.request.body,
                           {"base", "data", "attributes", "reason", "revealed", "dryRun"}));
  recovery::EditOrder order{.reference = std::string(call.param("ref")),
                            .flow = std::string(call.arg("flow")),
                            .base = {},
                            .edit = {},
                            .reason = {},
                            .actor = call.actor,
                            .subject = call.caller.subject};
  WEIR_TRY(order.base, body.text("base"));
  WEIR_TRY(order.reason, body.text("reason"));
  WEIR_TRY(order.edit.revealed, body.flag("revealed"));
  WEIR_TRY(order.dry_run, body.flag("dryRun"));
  if (order.base.empty()) {
    return Error{Code::invalid_argument, "no 'base' is given",
                 "it comes with GET of the same path, and says what was edited"};
  }
  if (const auto data = body.find("data")) order.edit.data = std::string(data->raw());
  WEIR_CHECK(read_attributes(body, order.edit));
  return order;
}

}  // namespace

Api::Answer Api::edit_document(Call call) {
  auto document = co_await recovery::edit_document(
      parts_.store, parts_.live, std::string(call.param("ref")), std::string(call.arg("flow")));
  if (!document.ok()) co_return net::problem_response(document.error());
  JsonWriter json;
  json.begin_object();
  write_names(json, *document);
  json.key("attributes").begin_object();
  for (const auto& [name, value] : document->attributes) {
    if (value.empty()) {
      json.key(name).null();
    } else {
      json.field(name, value);
    }
  }
  json.end_object().key("data").raw(document->data).end_object();
  co_return private_answer(std::move(json));
}

Api::Answer Api::edit_delivery(Call call) {
  auto order = edit_order(call);
  if (!order.ok()) co_return net::problem_response(order.error());
  order->event_bytes = parts_.engine.config().limits.event_bytes;
  const bool dry_run = order->dry_run;
  auto result = co_await recovery::edit_delivery(parts_.store, parts_.clock, parts_.live,
                                                 std::move(*order));
  if (!result.ok()) co_return net::problem_response(result.error());
  JsonWriter json;
  json.begin_object().field("dryRun", dry_run);
  write_names(json, result->made);
  write_changes(json, result->changes);
  json.end_object();
  co_return private_answer(std::move(json));
}

Api::Answer Api::revisions(Call call) {
  auto revisions = co_await recovery::list_revisions(
      parts_.store, parts_.live, std::string(call.param("ref")), std::string(call.arg("flow")));
  if (!revisions.ok()) co_return net::problem_response(revisions.error());
  JsonWriter json;
  json.begin_object().key("revisions").begin_array();
  for (const recovery::ShownRevision& one : *revisions) {
    json.begin_object().field("revision", one.number).field("at", to_rfc3339(one.at));
    json.field("editor", one.editor).field("reason", one.reason);
    write_changes(json, one.changes);
    json.end_object();
  }
  json.end_array().end_object();
  co_return private_answer(std::move(json));
}

}  // namespace weir::api
