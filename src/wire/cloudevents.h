// SPDX-License-Identifier: Apache-2.0
// CloudEvents 1.0.2 over HTTP without sockets: binary, structured and batch mode in, binary mode
// out. https://github.com/cloudevents/spec, HTTP protocol binding and JSON event format.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/event.h"

namespace weir::wire {

enum class ContentMode : std::uint8_t { binary, structured, batch };

// By the media type of the request: application/cloudevents+json,
// application/cloudevents-batch+json, anything else. Error unsupported_media_type for another
// CloudEvents format, such as application/cloudevents+avro.
Result<ContentMode> content_mode(std::string_view content_type);

struct EventLimits {
  std::size_t attribute_bytes = 4096;  // of one attribute
  std::size_t attributes_bytes = 16 * 1024;
  std::size_t extensions = 64;
  std::size_t event_bytes = 1024 * 1024;  // of the data
  std::size_t batch_events = 1000;
};

using HeaderView = std::pair<std::string_view, std::string_view>;  // name in lower case, value

// Events as views: into the request's bytes, which must outlive this, and into decoded texts kept
// here.
class ParsedEvents {
 public:
  struct Entry {
    Event event;          // valid if there is no error
    std::string_view id;  // as far as it could be read, for the answer
    bool ok = true;
    Error error{Code::invalid_event, "", ""};
  };
  const std::vector<Entry>& entries() const { return entries_; }

  // Events without a traceparent of their own take over the context of the request that brought
  // them, if its traceparent header is valid: their extensions become traceparent, tracestate and
  // baggage, so that the trace survives storage.
  void adopt_trace(const std::vector<HeaderView>& headers);

 private:
  friend class EventParser;
  std::vector<Entry> entries_;
  std::deque<std::string> texts_;  // stable addresses
};

// One entry. A wrong event is an entry with an error, too.
// An empty body without Content-Type is no data. A body without Content-Type counts as JSON if it
// is JSON, otherwise as binary data.
ParsedEvents parse_binary(const std::vector<HeaderView>& headers, std::string_view body,
                          const EventLimits& limits);
// Error malformed_json if the body is no JSON; otherwise one entry. Attributes that are null count
// as absent. `data` is the exact text of its JSON value, or what a string spells if the content
// type is not JSON; null is a value only for JSON content types.
Result<ParsedEvents> parse_structured(std::string_view body, const EventLimits& limits);
// Error malformed_json, invalid_event (no array) or batch_too_large for the whole; otherwise one
// entry per element.
Result<ParsedEvents> parse_batch(std::string_view body, const EventLimits& limits);

// Appends "ce-id: ...\r\n" lines, and content-type from datacontenttype. Values are percent-encoded
// as the HTTP binding says. traceparent, tracestate and baggage are left to the caller.
void append_binary_headers(std::string& out, const Event& event);

// The JSON event format; JSON data as it came, text as a string, anything else as data_base64.
std::string to_structured_json(const Event& event);

}  // namespace weir::wire
