// SPDX-License-Identifier: Apache-2.0
// An event as it may be shown. Whoever prints an event, or looks for what events have in common,
// takes it from here and not from the record.
#pragma once

#include <string>
#include <vector>

#include "model/event.h"
#include "policy/redaction.h"

namespace weir::policy {

class RedactedEvent {
 public:
  // The attributes; the event's bytes must outlive this.
  RedactedEvent(const Event& event, const Redaction& redaction);
  RedactedEvent(const RedactedEvent&) = delete;
  RedactedEvent& operator=(const RedactedEvent&) = delete;

  // Without data.
  const Event& attributes() const { return attributes_; }
  // With it; masked when it is asked for, because most views want attributes only.
  const Event& with_data();

 private:
  std::string_view shown(std::string_view name, std::string_view value);

  const Event& event_;
  const Redaction& redaction_;
  std::vector<std::string> masks_;  // what attributes_ views; reserved, so that it stays in place
  std::string data_;
  Event attributes_;
  Event whole_;
};

}  // namespace weir::policy
