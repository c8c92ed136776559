// SPDX-License-Identifier: Apache-2.0
#include "wire/event_checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "wire/uri.h"
#include "wire/utf8.h"

namespace weir::wire {
namespace {

constexpr std::size_t kNameMax = 64;  // the specification advises 20

bool is_attribute_name(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= kNameMax && std::ranges::all_of(name, fits);
}

// What the type String excludes beside surrogates: controls and code points that are no characters.
bool is_excluded(char32_t point) {
  const bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
  const bool no_character = (point >= 0xFDD0 && point <= 0xFDEF) || (point & 0xFFFE) == 0xFFFE;
  return control || no_character;
}

std::optional<std::string> find_text_fault(std::string_view name, std::string_view value,
                                           const EventLimits& limits) {
  if (value.size() > limits.attribute_bytes) {
    return fmt::format("'{}' has {} bytes, more than {}", name, value.size(),
                       limits.attribute_bytes);
  }
  for (std::string_view rest = value; !rest.empty();) {
    const Utf8Char next = first_utf8(rest);
    if (next.size == 0) return fmt::format("'{}' is not UTF-8", name);
    if (is_excluded(next.value)) {
      return fmt::format("'{}' has the forbidden character U+{:04X}", name,
                         static_cast<std::uint32_t>(next.value));
    }
    rest.remove_prefix(next.size);
  }
  return std::nullopt;
}

bool is_token(std::string_view text) {
  static constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  const auto fits = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kOthers.contains(c);
  };
  return !text.empty() && std::ranges::all_of(text, fits);
}

// "type/subtype", then parameters, which only have to be printable ASCII.
bool is_media_type(std::string_view text) {
  const std::string_view essence = text.substr(0, text.find(';'));
  const auto last = essence.find_last_not_of(" \t");
  const std::string_view name = essence.substr(0, last == essence.npos ? 0 : last + 1);
  const auto slash = name.find('/');
  if (slash == name.npos) return false;
  return is_token(name.substr(0, slash)) && is_token(name.substr(slash + 1)) &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7F; });
}

std::optional<std::string> find_shape_fault(const Event& event) {
  if (!is_uri_reference(event.source)) {
    return fmt::format("source '{}' is no URI reference", printable(event.source));
  }
  if (!event.dataschema.empty() && !is_absolute_uri(event.dataschema)) {
    return fmt::format("dataschema '{}' is no absolute URI", printable(event.dataschema));
  }
  if (!event.datacontenttype.empty() && !is_media_type(event.datacontenttype)) {
    return fmt::format("datacontenttype '{}' is no media type", printable(event.datacontenttype));
  }
  if (!event.time.empty() && !parse_rfc3339(event.time)) {
    return fmt::format("time '{}' is no RFC 3339 time", printable(event.time));
  }
  return std::nullopt;
}

std::optional<std::string> find_extension_fault(const Extension& extension,
                                                const EventLimits& limits) {
  if (!is_attribute_name(extension.name)) {
    return fmt::format("'{}' is no attribute name: only a-z and 0-9, at most {}",
                       printable(extension.name.substr(0, kNameMax)), kNameMax);
  }
  if (extension.name == "data") return "an attribute must not be named 'data'";
  return find_text_fault(extension.name, extension.value, limits);
}

}  // namespace

std::optional<std::string> find_fault(const Event& event, std::string_view specversion,
                                      const EventLimits& limits) {
  if (specversion.empty()) return "the required attribute 'specversion' is missing";
  if (specversion != "1.0") {
    return fmt::format("specversion '{}' is not supported, only 1.0",
                       printable(specversion.substr(0, kNameMax)));
  }
  const std::pair<std::string_view, std::string_view> texts[] = {
      {"id", event.id},
      {"source", event.source},
      {"type", event.type},
      {"subject", event.subject},
      {"time", event.time},
      {"datacontenttype", event.datacontenttype},
      {"dataschema", event.dataschema}};
  constexpr std::size_t kRequired = 3;
  for (std::size_t i = 0; i < kRequired; ++i) {
    if (texts[i].second.empty()) {
      return fmt::format("the required attribute '{}' is missing", texts[i].first);
    }
  }
  std::size_t bytes = 0;
  for (const auto& [name, value] : texts) {
    if (auto fault = find_text_fault(name, value, limits)) return fault;
    bytes += value.size();
  }
  if (auto fault = find_shape_fault(event)) return fault;
  if (event.extensions.size() > limits.extensions) {
    return fmt::format("more than {} extensions", limits.extensions);
  }
  for (const Extension& extension : event.extensions) {
    if (auto fault = find_extension_fault(extension, limits)) return fault;
    bytes += extension.name.size() + extension.value.size();
  }
  if (bytes <= limits.attributes_bytes) return std::nullopt;
  return fmt::format("the attributes have more than {} bytes", limits.attributes_bytes);
}

}  // namespace weir::wire
