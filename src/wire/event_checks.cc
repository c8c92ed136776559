// SPDX-License-Identifier: Apache-2.0
#include "wire/event_checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"

namespace weir::wire {
namespace {

constexpr std::size_t kNameMax = 64;

// C0 and C1 controls are not allowed in attribute strings; neither is what is no UTF-8.
bool has_control(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return true;
    const bool c1 = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) return true;
  }
  return false;
}

bool is_uri_character(char c) {
  constexpr std::string_view kOthers = "-._~:/?#[]@!$&'()*+,;=%";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kOthers.contains(c) ||
         static_cast<unsigned char>(c) >= 0x80;  // IRIs are common and harmless
}

bool is_uri_reference(std::string_view text) { return std::ranges::all_of(text, is_uri_character); }

bool is_absolute_uri(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == 0 || colon == text.npos || !is_uri_reference(text)) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto in_scheme = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'; };
  return letter(text[0]) && std::ranges::all_of(text.substr(0, colon), in_scheme);
}

std::optional<std::string> find_text_fault(std::string_view name, std::string_view value, const EventLimits& limits) {
  if (value.size() > limits.attribute_bytes) {
    return fmt::format("'{}' has {} bytes, more than {}", name, value.size(), limits.attribute_bytes);
  }
  if (!is_valid_utf8(value)) return fmt::format("'{}' is not UTF-8", name);
  if (has_control(value)) return fmt::format("'{}' has a control character", name);
  return std::nullopt;
}

}  // namespace

bool is_attribute_name(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= kNameMax && std::ranges::all_of(name, fits);
}

std::optional<std::string> find_fault(const Event& event, std::string_view specversion, const EventLimits& limits) {
  if (specversion.empty()) return "the required attribute 'specversion' is missing";
  if (specversion != "1.0") return fmt::format("specversion '{}' is not supported, only 1.0", printable(specversion));
  const std::pair<std::string_view, std::string_view> required[] = {
      {"id", event.id}, {"source", event.source}, {"type", event.type}};
  for (const auto& [name, value] : required) {
    if (value.empty()) return fmt::format("the required attribute '{}' is missing or empty", name);
  }
  std::size_t bytes = 0;
  const std::pair<std::string_view, std::string_view> texts[] = {
      {"id", event.id},     {"source", event.source},
      {"type", event.type}, {"subject", event.subject},
      {"time", event.time}, {"datacontenttype", event.datacontenttype},
      {"dataschema", event.dataschema}};
  for (const auto& [name, value] : texts) {
    if (auto fault = find_text_fault(name, value, limits)) return fault;
    bytes += value.size();
  }
  if (!is_uri_reference(event.source)) return fmt::format("source '{}' is no URI reference", printable(event.source));
  if (!event.dataschema.empty() && !is_absolute_uri(event.dataschema)) {
    return fmt::format("dataschema '{}' is no absolute URI", printable(event.dataschema));
  }
  if (!event.time.empty() && !parse_rfc3339(event.time)) {
    return fmt::format("time '{}' is no RFC 3339 time", printable(event.time));
  }
  if (event.extensions.size() > limits.extensions) return fmt::format("more than {} extensions", limits.extensions);
  for (const Extension& extension : event.extensions) {
    if (!is_attribute_name(extension.name)) {
      return fmt::format("'{}' is no attribute name: only a-z and 0-9, at most {}", printable(extension.name), kNameMax);
    }
    if (auto fault = find_text_fault(extension.name, extension.value, limits)) return fault;
    bytes += extension.name.size() + extension.value.size();
  }
  if (bytes > limits.attributes_bytes) return fmt::format("the attributes have more than {} bytes", limits.attributes_bytes);
  return std::nullopt;
}

}  // namespace weir::wire
