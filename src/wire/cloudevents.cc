// SPDX-License-Identifier: Apache-2.0
#include "wire/cloudevents.h"

#include <algorithm>

#include "base/text.h"
#include "wire/base64.h"
#include "wire/event_checks.h"
#include "wire/json.h"
#include "wire/percent.h"

namespace weir::wire {
namespace {

std::string_view* standard_attribute(Event& event, std::string_view name) {
  const std::pair<std::string_view, std::string_view*> known[] = {
      {"id", &event.id},
      {"source", &event.source},
      {"type", &event.type},
      {"subject", &event.subject},
      {"time", &event.time},
      {"datacontenttype", &event.datacontenttype},
      {"dataschema", &event.dataschema}};
  for (const auto& [attribute, value] : known) {
    if (attribute == name) return value;
  }
  return nullptr;
}

std::string_view media_type(std::string_view content_type) {
  const std::string_view essence = content_type.substr(0, content_type.find(';'));
  const auto first = essence.find_first_not_of(" \t");
  const auto last = essence.find_last_not_of(" \t");
  return first == essence.npos ? std::string_view{} : essence.substr(first, last - first + 1);
}

}  // namespace

// Fills one ParsedEvents. The first fault of an event ends its parsing.
class EventParser {
 public:
  EventParser(const EventLimits& limits, std::string_view body) : limits_(limits), body_(body) {}

  void binary(const std::vector<HeaderView>& headers, std::string_view body) {
    ParsedEvents::Entry& entry = parsed_.entries_.emplace_back();
    Event& event = entry.event;
    std::string_view specversion;
    for (const auto& [name, value] : headers) {
      if (name == "content-type") event.datacontenttype = value;
      if (!name.starts_with("ce-") || !entry.ok) continue;
      binary_attribute(entry, name.substr(3), value, specversion);
    }
    event.data = body;
    event.has_data = !body.empty();
    finish(entry, specversion);
  }

  void json(const Json& value) {
    ParsedEvents::Entry& entry = parsed_.entries_.emplace_back();
    if (!value.is(JsonType::object)) return refuse(entry, "an event must be a JSON object");
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
    if (entry.ok && data && data_base64)
      refuse(entry, "'data' and 'data_base64' exclude each other");
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
    const auto decoded = value.contains('%') ? percent_decode(value) : std::string(value);
    if (!decoded)
      return refuse(
          entry, fmt::format("header 'ce-{}' is not percent-encoded correctly", printable(name)));
    const std::string_view text = *decoded == value ? value : store(*decoded);
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
        return set(entry, name, value.raw(), AttributeType::integer, specversion);
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

Result<ContentMode> content_mode(std::string_view content_type) {
  const std::string media = to_lower(media_type(content_type));
  if (media == "application/cloudevents+json") return ContentMode::structured;
  if (media == "application/cloudevents-batch+json") return ContentMode::batch;
  if (!media.starts_with("application/cloudevents")) return ContentMode::binary;
  return Error{
      Code::unsupported_media_type,
      fmt::format("the event format '{}' is not supported", printable(media)),
      "use application/cloudevents+json, application/cloudevents-batch+json, or binary mode"};
}

ParsedEvents parse_binary(const std::vector<HeaderView>& headers, std::string_view body,
                          const EventLimits& limits) {
  EventParser parser(limits, body);
  parser.binary(headers, body);
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
