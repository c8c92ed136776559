// SPDX-License-Identifier: Apache-2.0
#include "model/decision.h"

#include <set>
#include <string_view>

#include <doctest/doctest.h>

#include "model/flow_state.h"
#include "model/outcome.h"

namespace weir {
namespace {

template <class Enum>
std::set<std::string_view> names_up_to(Enum last) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(last); ++i) names.insert(to_text(static_cast<Enum>(i)));
  return names;
}

TEST_CASE("failure classes have names that are read back") {
  for (int i = 0; i < kFailureClassCount; ++i) {
    const auto failure = static_cast<FailureClass>(i);
    CHECK(parse_failure_class(to_text(failure)) == failure);
  }
  CHECK(names_up_to(FailureClass::interrupted).size() == 13);
  CHECK(to_text(FailureClass::ambiguous) == "ambiguous");
  CHECK(to_text(FailureClass::interrupted) == "interrupted");
  CHECK_FALSE(parse_failure_class("Ambiguous"));
  CHECK_FALSE(parse_failure_class(""));
}

TEST_CASE(
    "decisions, guardrails, faults, phases and flow states have the names of the interfaces") {
  CHECK(names_up_to(DecisionKind::pauseFlow) == std::set<std::string_view>{"done", "retryAt",
                                                                           "defer", "quarantine",
                                                                           "discard", "pauseFlow"});
  CHECK(to_text(DecisionKind::quarantine) == "quarantine");
  CHECK(names_up_to(Guardrail::paused) == std::set<std::string_view>{"breaker", "retryBudget",
                                                                     "rateLimit", "concurrency",
                                                                     "memory", "paused"});
  CHECK(to_text(Guardrail::rateLimit) == "rateLimit");
  CHECK(names_up_to(Fault::egressRefused).size() == kFaultCount);
  CHECK(to_text(Fault::none) == "none");
  CHECK(to_text(Fault::timeout) == "timeout");
  CHECK(to_text(Fault::cancelled) == "cancelled");
  CHECK(names_up_to(Phase::maybeSeen) ==
        std::set<std::string_view>{"notSent", "sentUnseen", "maybeSeen"});
  CHECK(names_up_to(FlowStatus::removed) ==
        std::set<std::string_view>{"active", "paused", "removed"});
}

TEST_CASE("an outcome's header is found by its lower-case name; the first one counts") {
  const Outcome outcome = {.headers = {{"retry-after", "3"}, {"retry-after", "9"}, {"x", ""}}};
  REQUIRE(outcome.header("retry-after") != nullptr);
  CHECK(*outcome.header("retry-after") == "3");
  REQUIRE(outcome.header("x") != nullptr);
  CHECK(outcome.header("x")->empty());
  CHECK(outcome.header("Retry-After") == nullptr);
  CHECK(Outcome{}.header("x") == nullptr);
}

}  // namespace
}  // namespace weir
