// SPDX-License-Identifier: Apache-2.0
// The way out: binary mode to handlers, structured JSON to people.
#include "base/seeded_bug.h"
#include "base/text.h"
#include "wire/attribute_header.h"
#include "wire/base64.h"
#include "wire/cloudevents.h"
#include "wire/json.h"

namespace weir::wire {
namespace {

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out += "ce-";
  out += name;
  out += ": ";
  append_attribute_header(out, value);
  out += "\r\n";
}

// The JSON event format: without datacontenttype, data counts as application/json. Saying so keeps
// the meaning in another mode. Nothing is known about bytes that came without a type.
std::string_view content_type_of(const Event& event) {
  if (!event.datacontenttype.empty()) return event.datacontenttype;
  return event.has_data && !event.data_is_binary ? "application/json" : "";
}

bool is_trace_extension(std::string_view name) {
  return name == "traceparent" || name == "tracestate" || name == "baggage";
}

}  // namespace

void append_binary_headers(std::string& out, const Event& event) {
  append_header(out, "specversion", "1.0");
  append_header(out, "id", event.id);
  append_header(out, "source", event.source);
  append_header(out, "type", event.type);
  if (!event.subject.empty()) append_header(out, "subject", event.subject);
  if (!event.time.empty()) append_header(out, "time", event.time);
  if (!event.dataschema.empty() && !WEIR_SEEDED_BUG("cloudevents.dataschema_dropped"))
    append_header(out, "dataschema", event.dataschema);
  for (const Extension& extension : event.extensions) {
    if (!is_trace_extension(extension.name)) append_header(out, extension.name, extension.value);
  }
  const std::string_view content_type = content_type_of(event);
  if (content_type.empty()) return;
  out += "content-type: ";
  out += content_type;
  out += "\r\n";
}

void append_data(JsonWriter& json, const Event& event) {
  // Bytes that claim to be JSON and are not would be read back as a JSON string: only base64 keeps
  // them.
  const bool json_type = event.data_is_json();
  if (!event.data_is_binary && json_type && parse_json(event.data).ok()) {
    json.key("data").raw(event.data);
  } else if (!event.data_is_binary && !json_type && is_valid_utf8(event.data)) {
    json.field("data", event.data);
  } else {
    json.field("data_base64", base64_encode(event.data));
  }
}

std::string to_structured_json(const Event& event) {
  JsonWriter json;
  json.begin_object()
      .field("specversion", "1.0")
      .field("id", event.id)
      .field("source", event.source);
  json.field("type", event.type);
  const std::pair<std::string_view, std::string_view> optional[] = {
      {"subject", event.subject},
      {"time", event.time},
      {"datacontenttype", event.datacontenttype},
      {"dataschema", event.dataschema}};
  for (const auto& [name, value] : optional) {
    if (!value.empty()) json.field(name, value);
  }
  for (const Extension& extension : event.extensions) {
    json.key(extension.name);
    if (extension.type == AttributeType::string) {
      json.value(extension.value);
    } else {
      json.raw(extension.value);
    }
  }
  if (event.has_data) append_data(json, event);
  json.end_object();
  return std::move(json).take();
}

}  // namespace weir::wire
