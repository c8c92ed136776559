// SPDX-License-Identifier: Apache-2.0
#include "policy/redacted_event.h"

namespace weir::policy {
namespace {

constexpr std::size_t kOwnAttributes = 3;  // those of CloudEvents that a rule can name

}  // namespace

RedactedEvent::RedactedEvent(const Event& event, const Redaction& redaction)
    : event_(event), redaction_(redaction), attributes_(event) {
  masks_.reserve(kOwnAttributes + event.extensions.size());
  attributes_.data = {};
  attributes_.subject = shown("subject", event.subject);
  attributes_.time = shown("time", event.time);
  attributes_.dataschema = shown("dataschema", event.dataschema);
  for (Extension& extension : attributes_.extensions)
    extension.value = shown(extension.name, extension.value);
}

std::string_view RedactedEvent::shown(std::string_view name, std::string_view value) {
  if (value.empty() || !redaction_.hides_attribute(name)) return value;
  return masks_.emplace_back(redaction_.mask(value));
}

const Event& RedactedEvent::with_data() {
  if (!redaction_.hides_data()) {
    whole_ = attributes_;
    whole_.data = event_.data;
    return whole_;
  }
  data_ = redaction_.redact_data(event_);
  whole_ = attributes_;
  whole_.data = data_;
  return whole_;
}

}  // namespace weir::policy
