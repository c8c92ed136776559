// SPDX-License-Identifier: Apache-2.0
#include "app/publish_request.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/cells.h"
#include "base/text.h"
#include "model/event.h"
#include "wire/cloudevents.h"
#include "wire/percent.h"

namespace weir::app {
namespace {

using HeaderPair = std::pair<std::string, std::string>;

HeaderPair split_header(const std::string& text) {
  const std::size_t equals = std::min(text.find('='), text.size());
  return {to_lower(text.substr(0, equals)), text.substr(std::min(equals + 1, text.size()))};
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool is_header_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// The data is one or more whole events already.
bool is_whole_event(const PublishOptions& options) {
  return to_lower(options.content_type).starts_with("application/cloudevents");
}

std::string content_type_of(const PublishOptions& options) {
  if (!options.content_type.empty() || !options.data) return options.content_type;
  if (wire::parse_json(*options.data).ok()) return "application/json";
  return is_valid_utf8(*options.data) ? "text/plain; charset=utf-8" : "application/octet-stream";
}

// "name: value\r\n" lines as headers.
net::HttpHeaders to_headers(std::string_view lines) {
  net::HttpHeaders headers;
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, end);
    const std::size_t colon = line.find(": ");
    headers.push_back({std::string(line.substr(0, colon)), std::string(line.substr(colon + 2))});
    lines.remove_prefix(end + 2);
  }
  return headers;
}

// An event's views point into these.
struct EventText {
  std::string content_type;
  std::vector<HeaderPair> attributes;
};

Event make_event(const PublishOptions& options, const EventText& text, std::string_view id) {
  Event event{.id = id,
              .source = options.source,
              .type = options.type,
              .subject = options.subject,
              .datacontenttype = text.content_type,
              .has_data = options.data.has_value()};
  if (options.data) event.data = *options.data;
  for (const auto& [name, value] : text.attributes)
    event.extensions.push_back({.name = name, .value = value});
  return event;
}

}  // namespace

Result<> check(const PublishOptions& options) {
  const auto refuse = [](std::string what, std::string hint) {
    return Error{Code::usage, std::move(what), std::move(hint)};
  };
  if (has_control(options.content_type)) return refuse("--content-type has control characters", "");
  for (const std::string& header : options.headers) {
    const auto [name, value] = split_header(header);
    if (!is_header_name(name) || has_control(value) || header.find('=') == header.npos) {
      return refuse(fmt::format("--header '{}' is not NAME=VALUE", printable(header)),
                    "for example --header ce-tenant=acme");
    }
  }
  if (options.count == 0 || options.count > kPublishMax) {
    return refuse(fmt::format("--count must be from 1 to {}", kPublishMax), "");
  }
  if (is_whole_event(options)) {
    const bool attributes = !options.type.empty() || !options.source.empty() ||
                            !options.id.empty() || !options.subject.empty();
    if (attributes)
      return refuse("the data is a whole CloudEvent: it has its own type, source, id and subject",
                    "");
    if (options.count > 1) return refuse("--count needs events without an id of their own", "");
    if (!options.data)
      return refuse("there is no event to publish",
                    "give it as DATA, as - for standard input, or with --file");
    return {};
  }
  if (options.type.empty())
    return refuse("an event needs a type",
                  "add --type TYPE, for example --type com.example.order.created");
  if (options.source.empty())
    return refuse("an event needs a source", "add --source SOURCE, for example --source /shop");
  return {};
}

ClientRequest publish_request(const PublishOptions& options, std::uint64_t first,
                              std::uint64_t count, const std::function<std::string()>& make_id) {
  ClientRequest request{
      .method = "POST",
      .path = fmt::format("/v1/streams/{}/events", wire::percent_encode(options.stream))};
  EventText text{.content_type = content_type_of(options), .attributes = {}};
  for (const std::string& header : options.headers) {
    auto [name, value] = split_header(header);
    if (name.starts_with("ce-") && !is_whole_event(options)) {
      text.attributes.emplace_back(name.substr(3), value);
    } else {
      request.headers.push_back({name, value});
    }
  }
  std::ranges::sort(text.attributes);
  if (is_whole_event(options)) {
    request.headers.push_back({"content-type", options.content_type});
    request.body = *options.data;
    return request;
  }
  if (options.count == 1) {
    const std::string id = options.id.empty() ? make_id() : options.id;
    std::string lines;
    wire::append_binary_headers(lines, make_event(options, text, id));
    for (net::HttpHeader& header : to_headers(lines)) request.headers.push_back(std::move(header));
    request.body = options.data.value_or("");
    return request;
  }
  request.headers.push_back({"content-type", "application/cloudevents-batch+json"});
  request.body = "[";
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string id = options.id.empty() ? make_id()
                                              : fmt::format("{}-{}", options.id, first + i);
    if (i > 0) request.body += ',';
    request.body += wire::to_structured_json(make_event(options, text, id));
  }
  request.body += ']';
  return request;
}

void add_results(PublishTotals& totals, wire::Json answer) {
  const auto results = member_at(answer, "results");
  if (!results || !results->is(wire::JsonType::array)) return;
  for (const wire::Json result : *results) {
    const std::string status = text_at(result, "status");
    totals.stored += status == "stored";
    totals.duplicate += status == "duplicate";
    totals.refused += status != "stored" && status != "duplicate";
  }
}

}  // namespace weir::app
