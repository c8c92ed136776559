// SPDX-License-Identifier: Apache-2.0
// Header fields of an answer, "name: value" a line: views stay within the field, what is absurd is
// bounded, and what the server says is the same whoever reads it twice.
#include <cmath>
#include <string>

#include "base/assert.h"
#include "base/text.h"
#include "input.h"
#include "policy/rate_headers.h"
#include "policy/structured_fields.h"

namespace {

using namespace weir;

bool is_within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_list(std::string_view field) {
  policy::FieldList list;
  if (!policy::parse_field_list(field, list)) return;
  WEIR_ASSERT(field.size() <= policy::kFieldMax);
  WEIR_ASSERT(list.count <= policy::FieldList::kItemsMax);
  for (const policy::FieldItem& item : list) {
    WEIR_ASSERT(is_within(item.value.text, field) && std::isfinite(item.value.number));
    WEIR_ASSERT(item.parameters <= policy::FieldItem::kParametersMax);
    for (std::size_t i = 0; i < item.parameters; ++i) {
      WEIR_ASSERT(is_within(item.keys[i], field) && is_within(item.values[i].text, field));
      WEIR_ASSERT(item.find(item.keys[i]) != nullptr);
      const auto number = item.number(item.keys[i]);
      WEIR_ASSERT(!number || (*number >= 0 && std::isfinite(*number)));
    }
  }
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  Outcome outcome{.status = 429};
  while (!text.empty() && outcome.headers.size() < 64) {
    const std::string_view line = fuzz::take_line(text);
    const auto colon = std::min(line.find(':'), line.size());
    const std::string_view value = line.substr(std::min(colon + 1, line.size()));
    check_list(value);
    outcome.headers.emplace_back(to_lower(line.substr(0, colon)), value);
  }
  const WallTime now = from_micros(1'795'000'000'000'000);
  const Classification throttled{.failure = FailureClass::throttled};
  const policy::ServerPace pace = policy::read_server_pace(outcome, throttled, now);
  WEIR_ASSERT(policy::describe(pace) ==
              policy::describe(policy::read_server_pace(outcome, throttled, now)));
}
