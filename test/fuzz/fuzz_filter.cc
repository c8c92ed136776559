// SPDX-License-Identifier: Apache-2.0
// The first line is a pattern, the rest a payload. A refused pattern says where; an accepted one
// answers the same twice.
#include <algorithm>
#include <string_view>

#include "base/assert.h"
#include "input.h"
#include "policy/filter.h"

WEIR_FUZZ_TARGET(text) {
  const std::string_view pattern = text.substr(0, text.find('\n'));
  const auto filter = weir::policy::Filter::compile(pattern);
  if (!filter.ok()) {
    WEIR_ASSERT(filter.error().code == weir::Code::pattern_invalid);
    WEIR_ASSERT(filter.error().detail.starts_with("line "));
    return;
  }
  weir::Event event{.id = "1", .source = "/s", .type = "com.example.a", .subject = "10.0.0.1"};
  event.extensions = {{"flag", "true", weir::AttributeType::boolean},
                      {"n", "7", weir::AttributeType::integer}};
  event.data = text.substr(std::min(pattern.size() + 1, text.size()));
  event.has_data = true;
  WEIR_ASSERT(filter->matches(event) == filter->matches(event));
}
