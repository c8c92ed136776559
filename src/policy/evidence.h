// SPDX-License-Identifier: Apache-2.0
// What a failing answer says about itself, apart from its status.
#pragma once

#include <optional>
#include <string>

#include "model/outcome.h"
#include "policy/stack_trace.h"

namespace weir::policy {

struct Evidence {
  std::string problem_type;   // RFC 9457 `type`; empty if absent or about:blank, which says nothing
  std::string problem_title;  // RFC 9457 `title`
  std::optional<Thrown>
      thrown;  // from {"error": {"type", "frame"}}, "exception", or a stack trace in the body
};

// Total: a body that cannot be read is no evidence. A problem is believed with content type
// application/problem+json, and in other JSON bodies only if its `type` is a URI.
Evidence evidence_of(const Outcome& outcome);

// The problem's type alone, for failure modes. Empty if there is none.
std::string problem_type_of(const Outcome& outcome);

}  // namespace weir::policy
