// SPDX-License-Identifier: Apache-2.0
// Which failures are the same failure: flow + dependency + class + normalised reason.
// The reason is, whichever comes first: the problem's type or title (RFC 9457); the exception type
// and the first application frame of a stack trace in the body; the status and the body with
// everything variable taken out (numbers, ids, hex, quoted strings, URLs, addresses, timestamps);
// the transport fault; the rule. Time is linear in the body, of which at most kOutcomeBodyMax bytes
// are read.
#pragma once

#include <string>
#include <string_view>

#include "model/decision.h"
#include "model/group.h"
#include "model/outcome.h"

namespace weir::policy {

// `outcome` may be nullptr (expired, interrupted): then the rule is the reason.
Fingerprint fingerprint(std::string_view flow, std::string_view dependency, FailureClass failure,
                        const Outcome* outcome, std::string_view rule);

}  // namespace weir::policy
