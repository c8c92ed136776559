// SPDX-License-Identifier: Apache-2.0
// The first line has rules ("/a/*/b", "@subject", "email", separated by blanks), the rest is the
// event's data. What is hidden is masked wherever it stands; who gives the masks back gets the data
// as it was; and an answer that repeats the event tells nothing of it.
#include <string>

#include "base/assert.h"
#include "input.h"
#include "policy/json_diff.h"
#include "policy/json_pointer.h"
#include "policy/redacted_answer.h"
#include "policy/redaction.h"

namespace {

using namespace weir;
using policy::Redaction;

RedactionSpec rules_of(std::string_view line) {
  RedactionSpec spec;
  while (!line.empty() && spec.rules.size() < 16) {
    const auto blank = std::min(line.find(' '), line.size());
    const std::string name(line.substr(0, blank));
    line.remove_prefix(std::min(blank + 1, line.size()));
    using Kind = RedactionRule::Kind;
    if (name.starts_with('@')) {
      spec.rules.push_back({Kind::attribute, name.substr(1), {}});
    } else if (name.starts_with('/')) {
      const auto pointer = policy::parse_pointer(name);
      if (pointer.ok()) spec.rules.push_back({Kind::pointer, name, {}});
      if (pointer.ok()) WEIR_ASSERT(pointer->size() <= policy::kPointerStepsMax);
    } else if (!name.empty()) {
      spec.rules.push_back({Kind::member, name, {}});
    }
  }
  return spec;
}

void check_masks(const Redaction& redaction, std::string_view text) {
  const auto document = wire::parse_json(text);
  const std::string shown = redaction.redact_json(text);
  const auto masked = wire::parse_json(shown);
  WEIR_ASSERT(masked.ok());
  if (!document.ok()) return;
  const auto hidden = redaction.hidden_in(document->root());
  if (hidden.size() > policy::kMasksMax) return;
  const auto masks = redaction.hidden_in(masked->root());
  WEIR_ASSERT(masks.size() == hidden.size());
  for (std::size_t i = 0; i < masks.size(); ++i) {
    const bool was_null = hidden[i].is(wire::JsonType::null);
    const bool is_mask = masks[i].is(wire::JsonType::string) &&
                         masks[i].string().starts_with("[redacted");
    WEIR_ASSERT(was_null ? masks[i].is(wire::JsonType::null) : is_mask);
  }
  const auto back = policy::unmasked(text, shown, redaction, false);
  WEIR_ASSERT(back.ok() && *back == text);
  const auto changes = policy::json_diff(text, text, redaction);
  WEIR_ASSERT(changes.ok() && changes->empty());
}

// An answer that is the event's own data, and one that is anything.
void check_answers(const Redaction& redaction, const Event& event) {
  const policy::HiddenValues hidden = redaction.hidden_values(event);
  WEIR_ASSERT(hidden.redact("").empty());
  const std::string answer = policy::redact_answer(event.data, redaction, hidden);
  if (!hidden.hides_everything()) return;
  WEIR_ASSERT(answer.empty() || answer == policy::kMask);
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  if (text.size() > 16 * 1024) return;
  const RedactionSpec spec = rules_of(fuzz::take_line(text));
  const Redaction redaction(spec, nullptr, "secret");
  Event event{.id = "1", .source = "/s", .type = "t", .subject = "someone@example.org"};
  event.data = text;
  event.has_data = true;
  check_masks(redaction, text);
  check_answers(redaction, event);
  const std::string pattern = redaction.redact_pattern(text);
  WEIR_ASSERT(text.empty() || redaction.empty() || wire::parse_json(pattern).ok());
}
