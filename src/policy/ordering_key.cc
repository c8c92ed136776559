// SPDX-License-Identifier: Apache-2.0
#include "policy/ordering_key.h"

#include "policy/redaction_tag.h"
#include "wire/digest.h"
#include "wire/json.h"

namespace weir::policy {
namespace {

constexpr std::string_view kDataPrefix = "data.";

std::string_view attribute(const Event& event, std::string_view name) {
  if (name == "subject") return event.subject;
  if (name == "source") return event.source;
  if (name == "id") return event.id;
  if (name == "type") return event.type;
  if (name == "time") return event.time;
  if (name == "datacontenttype") return event.datacontenttype;
  if (name == "dataschema") return event.dataschema;
  const Extension* extension = event.find_extension(name);
  return extension == nullptr ? std::string_view{} : extension->value;
}

std::string scalar_text(const wire::Json& value) {
  switch (value.type()) {
    case wire::JsonType::string: return std::string(value.string());
    case wire::JsonType::number:
    case wire::JsonType::boolean: return std::string(value.raw());
    case wire::JsonType::null:
    case wire::JsonType::array:
    case wire::JsonType::object: break;
  }
  return {};
}

// `path` has at most as many steps as the specification has characters.
std::string from_data(const Event& event, std::string_view path) {
  if (!event.has_data || !event.data_is_json()) return {};
  const auto document = wire::parse_json(event.data);
  if (!document) return {};
  wire::Json value = document->root();
  while (true) {
    const auto dot = path.find('.');
    if (!value.is(wire::JsonType::object)) return {};
    const auto member = value.find(path.substr(0, dot));
    if (!member) return {};
    value = *member;
    if (dot == std::string_view::npos) return scalar_text(value);
    path.remove_prefix(dot + 1);
  }
}

// Before a long key becomes a digest, which could be tried out.
std::string whole_key(const Event& event, std::string_view spec) {
  if (spec.empty()) return {};
  return spec.starts_with(kDataPrefix) ? from_data(event, spec.substr(kDataPrefix.size()))
                                       : std::string(attribute(event, spec));
}

}  // namespace

std::string ordering_key(const Event& event, std::string_view spec) {
  std::string key = whole_key(event, spec);
  if (key.size() <= kOrderingKeyMax) return key;
  return "sha256:" + wire::sha256_hex(key);
}

namespace {

std::string made_by(const Event& event, std::string_view spec, bool is_redacted,
                    std::string_view secret) {
  if (!is_redacted) return ordering_key(event, spec);
  const std::string key = whole_key(event, spec);
  return key.empty() ? key : key_tag(secret, key);
}

}  // namespace

KeyRule key_rule(const FlowSpec& flow) {
  return {flow.ordering_key, flow.key_is_redacted, flow.key_secret};
}

std::string ordering_key(const Event& event, const KeyRule& rule) {
  return made_by(event, rule.spec, rule.is_redacted, rule.secret);
}

std::string ordering_key(const Event& event, const FlowSpec& flow) {
  return made_by(event, flow.ordering_key, flow.key_is_redacted, flow.key_secret);
}

std::string recorded_key_rule(const FlowSpec& flow) {
  return flow.key_is_redacted ? "redacted:" + flow.ordering_key : flow.ordering_key;
}

}  // namespace weir::policy
