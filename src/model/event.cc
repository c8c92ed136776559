// SPDX-License-Identifier: Apache-2.0
#include "model/event.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/text.h"

namespace weir {
namespace {

constexpr std::uint8_t kEventVersion = 1;
constexpr std::uint8_t kHasData = 1;
constexpr std::uint8_t kBinaryData = 2;
constexpr std::uint64_t kExtensionsMax = 1000;

Error damaged(std::string_view what) {
  return Error{Code::store_corrupt, fmt::format("an event record is damaged: {}", what),
               "weir store check"};
}

}  // namespace

const Extension* Event::find_extension(std::string_view name) const {
  const auto found = std::ranges::find(extensions, name, &Extension::name);
  return found == extensions.end() ? nullptr : &*found;
}

bool Event::data_is_json() const {
  if (datacontenttype.empty()) return true;
  const std::string_view essence = datacontenttype.substr(0, datacontenttype.find(';'));
  const auto end = essence.find_last_not_of(" \t");
  const std::string media = to_lower(end == essence.npos ? std::string_view{}
                                                         : essence.substr(0, end + 1));
  return media == "application/json" || media == "text/json" || media.ends_with("+json");
}

std::string encode_event(const Event& event) {
  ByteWriter out;
  out.reserve(96 + event.id.size() + event.source.size() + event.type.size() +
              event.subject.size() + event.data.size());
  out.u8(kEventVersion);
  out.u8(static_cast<std::uint8_t>((event.has_data ? kHasData : 0) |
                                   (event.data_is_binary ? kBinaryData : 0)));
  for (const std::string_view text : {event.id, event.source, event.type, event.subject, event.time,
                                      event.datacontenttype, event.dataschema}) {
    out.text(text);
  }
  out.varint(event.extensions.size());
  for (const Extension& extension : event.extensions) {
    out.u8(static_cast<std::uint8_t>(extension.type));
    out.text(extension.name);
    out.text(extension.value);
  }
  out.raw(event.data);
  return std::move(out).take();
}

Result<Event> decode_event(std::string_view record) {
  ByteReader in(record);
  if (in.u8() != kEventVersion) return damaged("unknown version");
  const std::uint8_t flags = in.u8();
  if ((flags & ~(kHasData | kBinaryData)) != 0) return damaged("unknown flags");
  Event event;
  for (std::string_view* text : {&event.id, &event.source, &event.type, &event.subject, &event.time,
                                 &event.datacontenttype, &event.dataschema}) {
    *text = in.text();
  }
  const std::uint64_t count = in.varint();
  if (in.failed() || count > kExtensionsMax) return damaged("too short");
  event.extensions.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint8_t type = in.u8();
    if (type > static_cast<std::uint8_t>(AttributeType::boolean))
      return damaged("unknown attribute type");
    const std::string_view name = in.text();
    event.extensions.push_back({name, in.text(), static_cast<AttributeType>(type)});
  }
  if (in.failed()) return damaged("too short");
  event.data = in.rest();
  event.has_data = (flags & kHasData) != 0;
  event.data_is_binary = (flags & kBinaryData) != 0;
  return event;
}

bool same_content(const Event& a, const Event& b) {
  return a.type == b.type && a.subject == b.subject && a.datacontenttype == b.datacontenttype &&
         a.has_data == b.has_data && a.data == b.data;
}

}  // namespace weir
