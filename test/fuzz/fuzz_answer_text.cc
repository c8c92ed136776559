// SPDX-License-Identifier: Apache-2.0
// What is read out of a failing answer: templates, stack traces, problems, fingerprints. All of it
// is bounded, none of it depends on what lies behind the bytes that count.
#include <string>

#include "base/assert.h"
#include "input.h"
#include "policy/body_template.h"
#include "policy/evidence.h"
#include "policy/fingerprint.h"
#include "policy/stack_trace.h"

namespace {

using namespace weir;

void check_template(std::string_view text) {
  const std::string once = policy::body_template(text);
  WEIR_ASSERT(once.size() <= policy::kTemplateMax);
  if (text.size() >= kOutcomeBodyMax)
    WEIR_ASSERT(policy::body_template(text.substr(0, kOutcomeBodyMax)) == once);
}

void check_thrown(std::string_view text) {
  const auto thrown = policy::find_thrown(text);
  if (!thrown) return;
  WEIR_ASSERT(!thrown->type.empty() && !thrown->frame.empty());
  if (text.size() >= kOutcomeBodyMax)
    WEIR_ASSERT(policy::find_thrown(text.substr(0, kOutcomeBodyMax)) == thrown);
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  check_template(text);
  check_thrown(text);
  Outcome outcome{.status = 500};
  outcome.headers = {{"content-type", "application/problem+json"}};
  outcome.body = text.substr(0, kOutcomeBodyMax);
  const policy::Evidence evidence = policy::evidence_of(outcome);
  WEIR_ASSERT(evidence.problem_type == policy::problem_type_of(outcome));
  WEIR_ASSERT(evidence.problem_type != "about:blank");
  const auto print = policy::fingerprint("f", "d", FailureClass::transient, &outcome, "http.500");
  WEIR_ASSERT(print.hash.size() == 16 && !print.title.empty());
  WEIR_ASSERT(print ==
              policy::fingerprint("f", "d", FailureClass::transient, &outcome, "http.500"));
}
