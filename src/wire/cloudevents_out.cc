// SPDX-License-Identifier: Apache-2.0
// The way out: binary mode to handlers, structured JSON to people.
#include <algorithm>

#include "base/text.h"
#include "wire/base64.h"
#include "wire/cloudevents.h"
#include "wire/json.h"

namespace weir::wire {
namespace {

// HTTP binding 3.1.3.2: space, double quote, percent and everything outside printable ASCII.
bool must_encode(char c) {
  return c <= ' ' || c == '"' || c == '%' || static_cast<unsigned char>(c) >= 0x7F;
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  out += "ce-";
  out += name;
  out += ": ";
  if (std::ranges::none_of(value, must_encode)) {
    out += value;
  } else {
    for (const char c : value) {
      if (!must_encode(c)) {
        out.push_back(c);
        continue;
      }
      const auto byte = static_cast<unsigned char>(c);
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  out += "\r\n";
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
  if (!event.dataschema.empty()) append_header(out, "dataschema", event.dataschema);
  for (const Extension& extension : event.extensions) {
    if (!is_trace_extension(extension.name)) append_header(out, extension.name, extension.value);
  }
  if (!event.has_data) return;
  out += "content-type: ";
  out += event.datacontenttype.empty() ? std::string_view("application/json")
                                       : event.datacontenttype;
  out += "\r\n";
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
  if (event.has_data) {
    if (!event.data_is_binary && event.data_is_json() && parse_json(event.data).ok()) {
      json.key("data").raw(event.data);
    } else if (!event.data_is_binary && is_valid_utf8(event.data)) {
      json.field("data", event.data);
    } else {
      json.field("data_base64", base64_encode(event.data));
    }
  }
  json.end_object();
  return std::move(json).take();
}

}  // namespace weir::wire
