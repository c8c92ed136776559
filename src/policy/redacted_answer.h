// SPDX-License-Identifier: Apache-2.0
// A handler's answer is foreign text that may repeat the event. It is redacted right after it was
// classified, before a fingerprint, a reason or anything else that is kept or told is made of it.
#pragma once

#include <string>

#include "model/decision.h"
#include "model/outcome.h"
#include "policy/redaction.h"

namespace weir::policy {

// JSON: hidden members are masked as in the event, and so is what repeats a hidden value, in names
// too. Everything else, and JSON that does not parse, is masked as a whole, unless the rules say
// that such answers are kept: then only what repeats a hidden value is.
std::string redact_answer(std::string_view body, const Redaction& redaction,
                          const HiddenValues& hidden);

// The answer: its body, headers that repeat what is hidden, and what the classification says of it.
// Where nobody knows what a header repeats, only those are left that the guardrails read.
void redact_outcome(const Event& event, const Redaction& redaction, Outcome& outcome,
                    Classification& classification);

}  // namespace weir::policy
