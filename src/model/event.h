// SPDX-License-Identifier: Apache-2.0
// A CloudEvents 1.0 event, as views, and its one stored form. The data bytes are never
// re-serialised.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/position.h"

namespace weir {

enum class AttributeType : std::uint8_t { string, integer, boolean };

struct Extension {
  std::string_view name;   // [a-z0-9]+
  std::string_view value;  // canonical text of the value
  AttributeType type = AttributeType::string;
  bool operator==(const Extension&) const = default;
};

// Views into bytes that somebody else keeps alive. Optional attributes are empty when absent
// (CloudEvents forbids empty values for all of them).
struct Event {
  std::string_view id;
  std::string_view source;
  std::string_view type;
  std::string_view subject;
  std::string_view time;  // RFC 3339 as it came
  std::string_view datacontenttype;
  std::string_view dataschema;
  std::vector<Extension> extensions;  // sorted by name, names unique
  std::string_view data;
  bool has_data = false;        // tells empty data from none
  bool data_is_binary = false;  // came as data_base64: structured output must encode it again

  const Extension* find_extension(std::string_view name) const;
  // The content type is JSON: application/json, text/json, */*+json, or absent.
  bool data_is_json() const;
  bool operator==(const Event&) const = default;
};

// The stored form: a version byte, the attributes, then the data bytes as they came.
std::string encode_event(const Event& event);
// Views into `record`, which must outlive the Event. Code::store_corrupt if it is not such a
// record.
Result<Event> decode_event(std::string_view record);

// Identical means same type, subject, content type and data. source and id are equal already.
bool same_content(const Event& a, const Event& b);

// A record together with its place, as the event log hands it out.
struct StoredEvent {
  Position position;
  WallTime recorded;   // when it was ingested
  std::string record;  // decode_event(record) gives the views
};

}  // namespace weir
