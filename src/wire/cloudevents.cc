// SPDX-License-Identifier: Apache-2.0
#include "wire/cloudevents.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "wire/attribute_header.h"
#include "wire/base64.h"
#include "wire/event_checks.h"
#include "wire/json.h"
#include "wire/trace_context.h"

namespace weir::wire {
namespace {

using Attribute = std::string_view Event::*;
constexpr std::pair<std::string_view, Attribute> kStandard[] = {
    {"id", &Event::id},
    {"source", &Event::source},
    {"type", &Event::type},
    {"subject", &Event::subject},
    {"time", &Event::time},
    {"datacontenttype", &Event::datacontenttype},
    {"dataschema", &Event::dataschema}};

std::string_view* standard_attribute(Event& event, std::string_view name) {
  for (const auto& [attribute, member] : kStandard) {
    if (attribute == name) return &(event.*member);
  }
  return nullptr;
}

std::string_view find_header(const std::vector<HeaderView>& headers, std::string_view name) {
  const auto found = std::ranges::find(headers, name, &HeaderView::first);
  return found == headers.end() ? std::string_view{} : found->second;
}

std::string_view media_type(std::string_view content_type) {
  const std::string_view essence = content_type.substr(0, content_type.find(';'));
  const auto first = essence.find_first_not_of(" \t");
  const auto last = essence.find_last_not_of(" \t");
  return first == essence.npos ? std::string_view{} : essence.substr(first, last - first + 1);
}

// JSON is exchanged as UTF-8 (RFC 8259 section 8.1); another declared charset is refused instead of
// misread.
bool charset_is_utf8(std::string_view content_type) {
  const std::string lower = to_lower(content_type);
  const auto at = lower.find("charset=");
  if (at == lower.npos) return true;
  std::string_view name = std::string_view(lower).substr(at + 8);
  name = name.substr(0, name.find(';'));
  const auto first = name.find_first_not_of("\" \t");
  const auto last = name.find_last_not_of("\" \t");
  if (first == name.npos) return true;
  name = name.substr(first, last - first + 1);
  return name == "utf-8" || name == "utf8" || name == "us-ascii";
}

}  // namespace

// Fills one ParsedEvents. The first fault of an event ends its parsing.
class EventParser {
 public:
  EventParser(const EventLimits& limits, std::string_view body) : limits_(limits), body_(body) {}

  void binary(const std::vector<HeaderView>& headers) {
    ParsedEvents::Entry& entry = parsed_.entries_.emplace_back();
    entry.id = find_header(headers, "ce-id");
    std::string_view specversion;
    bool typed = false;
    for (const auto& [name, value] : headers) {
      if (name == "content-type") {
        if (typed) refuse(entry, "the header 'content-type' is given twice");
        entry.event.datacontenttype = value;
        typed = true;
      } else if (name.starts_with("ce-") && entry.ok) {
        binary_attribute(entry, name.substr(3), value, specversion);
      }
    }
    entry.event.data = body_;
    entry.event.has_data = typed || !body_.empty();
    entry.event.data_is_binary = !typed && !body_.empty() && !parse_json(body_).ok();
    finish(entry, specversion);
  }

  void json(const Json& value) {
    ParsedEvents::Entry& entry = parsed_.entries_.emplace_back();
    if (!value.is(JsonType::object)) return refuse(entry, "an event must be a JSON object");
    const auto id = value.find("id");
    if (id && id->is(JsonType::string)) entry.id = keep(id->string());
    std::string_view specversion;
    std::optional<Json> data;
    std::optional<Json> data_base64;
    for (const Json member : value) {
      const std::string_view name = keep(member.key());
      if (name == "data") {
        data = member;
      } else if (member.is(JsonType::null)) {
        continue;  // null counts as absent
      } else if (name == "data_base64") {
        data_base64 = member;
      } else if (entry.ok) {
        json_attribute(entry, name, member, specversion);
      }
    }
    if (data && data->is(JsonType::null) && (data_base64 || !entry.event.data_is_json()))
      data.reset();
    if (data && data_base64) refuse(entry, "'data' and 'data_base64' exclude each other");
    if (entry.ok && data) json_data(entry.event, *data);
    if (entry.ok && data_base64) json_base64(entry, *data_base64);
    finish(entry, specversion);
  }

  ParsedEvents take() && { return std::move(parsed_); }

 private:
  static void refuse(ParsedEvents::Entry& entry, std::string why) {
    if (!entry.ok) return;
    entry.ok = false;
    entry.error = Error{Code::invalid_event, std::move(why), ""};
  }

  std::string_view store(std::string text) { return parsed_.texts_.emplace_back(std::move(text)); }

  // Decoded strings belong to the JSON document, which does not outlive the parser; plain ones are
  // in the body.
  std::string_view keep(std::string_view text) {
    const bool in_body = text.data() >= body_.data() &&
                         text.data() + text.size() <= body_.data() + body_.size();
    return in_body ? text : store(std::string(text));
  }

  void binary_attribute(ParsedEvents::Entry& entry, std::string_view name, std::string_view value,
                        std::string_view& specversion) {
    std::string_view text = value;
    if (needs_decoding(value)) {
      auto decoded = decode_attribute_header(value);
      if (!decoded) {
        return refuse(
            entry, fmt::format("header 'ce-{}' is not percent-encoded correctly", printable(name)));
      }
      text = store(std::move(*decoded));
    }
    if (name == "datacontenttype") {
      return refuse(entry, "header 'ce-datacontenttype' must not be sent: Content-Type says it");
    }
    set(entry, name, text, AttributeType::string, specversion);
  }

  void json_attribute(ParsedEvents::Entry& entry, std::string_view name, const Json& value,
                      std::string_view& specversion) {
    const bool standard = name == "specversion" || standard_attribute(entry.event, name) != nullptr;
    switch (value.type()) {
      case JsonType::string:
        return set(entry, name, keep(value.string()), AttributeType::string, specversion);
      case JsonType::boolean:
        if (standard) break;
        return set(entry, name, value.raw(), AttributeType::boolean, specversion);
      case JsonType::number: {
        const auto number = value.integer();
        const bool fits = number && *number >= INT32_MIN && *number <= INT32_MAX;
        if (standard || !fits) break;
        const bool minus_zero = *number == 0 && value.raw().size() > 1;
        return set(entry, name, minus_zero ? "0" : value.raw(), AttributeType::integer,
                   specversion);
      }
      default: break;
    }
    refuse(entry,
           standard ? fmt::format("'{}' must be a string", name)
                    : fmt::format("extension '{}' must be a string, a boolean or a 32-bit integer",
                                  printable(name)));
  }

  void set(ParsedEvents::Entry& entry, std::string_view name, std::string_view value,
           AttributeType type, std::string_view& specversion) {
    if (name == "specversion") {
      if (!specversion.empty()) return refuse(entry, "'specversion' is given twice");
      specversion = value;
      return;
    }
    if (std::string_view* attribute = standard_attribute(entry.event, name)) {
      if (!attribute->empty()) return refuse(entry, fmt::format("'{}' is given twice", name));
      if (value.empty()) return refuse(entry, fmt::format("'{}' must not be empty", name));
      *attribute = value;
      if (name == "id") entry.id = value;
      return;
    }
    if (entry.event.extensions.size() > limits_.extensions) return;  // find_fault() refuses it
    entry.event.extensions.push_back({name, value, type});
  }

  // The data's bytes: JSON as it came; a string of another content type is the text that it spells.
  void json_data(Event& event, const Json& data) {
    event.has_data = true;
    const bool text = data.is(JsonType::string) && !event.data_is_json();
    event.data = text ? keep(data.string()) : data.raw();
  }

  void json_base64(ParsedEvents::Entry& entry, const Json& data) {
    const auto bytes = data.is(JsonType::string) ? base64_decode(data.string()) : std::nullopt;
    if (!bytes) return refuse(entry, "'data_base64' is not base64");
    entry.event.data = store(*bytes);
    entry.event.has_data = true;
    entry.event.data_is_binary = true;
  }

  void finish(ParsedEvents::Entry& entry, std::string_view specversion) {
    if (!entry.ok) return;
    auto& extensions = entry.event.extensions;
    std::ranges::sort(extensions, {}, &Extension::name);
    const auto twice = std::ranges::adjacent_find(extensions, {}, &Extension::name);
    if (twice != extensions.end())
      return refuse(entry, fmt::format("'{}' is given twice", printable(twice->name)));
    if (auto fault = find_fault(entry.event, specversion, limits_))
      return refuse(entry, std::move(*fault));
    if (entry.event.data.size() <= limits_.event_bytes) return;
    refuse(entry, fmt::format("the data has {} bytes, more than {}", entry.event.data.size(),
                              limits_.event_bytes));
    entry.error.code = Code::event_too_large;
  }

  const EventLimits& limits_;
  std::string_view body_;
  ParsedEvents parsed_;
};

void ParsedEvents::adopt_trace(const std::vector<HeaderView>& headers) {
  const std::string_view traceparent = find_header(headers, "traceparent");
  if (!parse_traceparent(traceparent)) return;
  std::string tracestate;
  std::string baggage;
  for (const auto& [name, value] : headers) {
    // Several headers of one name are one list.
    std::string* list = name == "tracestate" ? &tracestate : name == "baggage" ? &baggage : nullptr;
    if (list != nullptr) *list += (list->empty() ? "" : ",") + std::string(value);
  }
  const std::pair<std::string_view, std::string_view> adopted[] = {
      {"baggage", texts_.emplace_back(passable_baggage(baggage))},
      {"traceparent", texts_.emplace_back(traceparent)},
      {"tracestate", texts_.emplace_back(passable_tracestate(tracestate))}};
  for (Entry& entry : entries_) {
    if (!entry.ok || entry.event.find_extension("traceparent") != nullptr) continue;
    auto& extensions = entry.event.extensions;
    std::erase_if(extensions, [](const Extension& one) { return one.name == "tracestate"; });
    for (const auto& [name, value] : adopted) {
      if (value.empty() || entry.event.find_extension(name) != nullptr) continue;
      extensions.insert(std::ranges::lower_bound(extensions, name, {}, &Extension::name),
                        Extension{name, value});
    }
  }
}

Result<ContentMode> content_mode(std::string_view content_type) {
  const std::string media = to_lower(media_type(content_type));
  if (!media.starts_with("application/cloudevents")) return ContentMode::binary;
  const bool structured = media == "application/cloudevents+json";
  if (!structured && media != "application/cloudevents-batch+json") {
    return Error{
        Code::unsupported_media_type,
        fmt::format("the event format '{}' is not supported", printable(media)),
        "use application/cloudevents+json, application/cloudevents-batch+json, or binary mode"};
  }
  if (!charset_is_utf8(content_type)) {
    return Error{Code::unsupported_media_type, "JSON events must be sent as UTF-8",
                 "use charset=utf-8, or leave it out"};
  }
  return structured ? ContentMode::structured : ContentMode::batch;
}

ParsedEvents parse_binary(const std::vector<HeaderView>& headers, std::string_view body,
                          const EventLimits& limits) {
  EventParser parser(limits, body);
  parser.binary(headers);
  return std::move(parser).take();
}

Result<ParsedEvents> parse_structured(std::string_view body, const EventLimits& limits) {
  WEIR_TRY(const auto document, parse_json(body));
  EventParser parser(limits, body);
  parser.json(document.root());
  return std::move(parser).take();
}

Result<ParsedEvents> parse_batch(std::string_view body, const EventLimits& limits) {
  WEIR_TRY(const auto document, parse_json(body));
  const Json root = document.root();
  if (!root.is(JsonType::array)) {
    return Error{Code::invalid_event, "a batch must be a JSON array of events",
                 "for one event use application/cloudevents+json"};
  }
  if (root.size() > limits.batch_events) {
    return Error{
        Code::batch_too_large,
        fmt::format("the batch has {} events, more than {}", root.size(), limits.batch_events),
        "send several smaller batches"};
  }
  EventParser parser(limits, body);
  for (const Json event : root) parser.json(event);
  return std::move(parser).take();
}

}  // namespace weir::wire
