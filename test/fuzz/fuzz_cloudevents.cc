// SPDX-License-Identifier: Apache-2.0
// The first byte chooses the mode. Whatever is accepted can be written as structured JSON and is
// read back with the same content, and no attribute value leaves its header line.
#include <algorithm>

#include "base/assert.h"
#include "input.h"
#include "wire/cloudevents.h"
#include "wire/json.h"

namespace {

using weir::Event;
using weir::wire::EventLimits;
using weir::wire::HeaderView;
using weir::wire::ParsedEvents;

void check_headers(const Event& event) {
  std::string lines;
  weir::wire::append_binary_headers(lines, event);
  std::string_view rest = lines;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    WEIR_ASSERT(line.starts_with("ce-") || line.starts_with("content-type: "));
    WEIR_ASSERT(std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; }));
    rest.remove_prefix(line.size() + 2);
  }
}

// JSON data becomes a member of the document: what stands around it does not belong to it.
std::string_view without_space_around(const Event& event) {
  std::string_view data = event.data;
  const bool is_member = !event.data_is_binary && event.data_is_json() &&
                         weir::wire::parse_json(data).ok();
  if (!is_member) return data;
  constexpr std::string_view kSpace = " \t\r\n";
  data.remove_prefix(data.find_first_not_of(kSpace));
  return data.substr(0, data.find_last_not_of(kSpace) + 1);
}

void check_structured(const Event& event) {
  const std::string json = weir::wire::to_structured_json(event);
  const auto parsed = weir::wire::parse_structured(json, EventLimits{});
  WEIR_ASSERT(parsed.ok() && parsed->entries().size() == 1);
  const ParsedEvents::Entry& entry = parsed->entries().front();
  WEIR_ASSERT(entry.ok);
  Event expected = event;
  expected.data = without_space_around(event);
  WEIR_ASSERT(weir::same_content(entry.event, expected));
  WEIR_ASSERT(entry.event.id == event.id && entry.event.source == event.source);
  WEIR_ASSERT(entry.event.extensions == event.extensions);
}

void check(const ParsedEvents& parsed) {
  for (const ParsedEvents::Entry& entry : parsed.entries()) {
    if (!entry.ok) {
      WEIR_ASSERT(!entry.error.detail.empty());
      continue;
    }
    const std::string record = weir::encode_event(entry.event);
    const auto decoded = weir::decode_event(record);
    WEIR_ASSERT(decoded.ok() && *decoded == entry.event);
    check_headers(entry.event);
    check_structured(entry.event);
  }
}

// "name:value" lines, an empty line, the body.
void check_binary(std::string_view text) {
  std::vector<HeaderView> headers;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) break;
    const auto colon = std::min(line.find(':'), line.size());
    headers.emplace_back(line.substr(0, colon), line.substr(std::min(colon + 1, line.size())));
  }
  ParsedEvents parsed = weir::wire::parse_binary(headers, text, EventLimits{});
  parsed.adopt_trace(headers);
  check(parsed);
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  const unsigned mode = weir::fuzz::take_byte(text) % 3;
  if (mode == 0) return check_binary(text);
  const auto parsed = mode == 1 ? weir::wire::parse_structured(text, EventLimits{})
                                : weir::wire::parse_batch(text, EventLimits{});
  if (parsed.ok()) check(*parsed);
}
