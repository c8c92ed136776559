// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "recovery/testing/explain_desk.h"
#include "store/memory/memory_store.h"

namespace weir::recovery::testing {
namespace {

struct Case {
  FailureClass failure = FailureClass::permanent;
  bool in_doubt = false;
  bool archived = false;
  bool idempotent = true;
  std::string where;
};

std::string verdict(const Case& given) {
  ExplainDesk desk([](async::Executor executor) { return store::memory::open(executor); });
  desk.publish(1);
  desk.dealt_with(2);
  desk.config.flows[0].idempotent = given.idempotent;
  desk.config.flows[0].where = given.where;
  Delivery row = desk.quarantine(1, ago(60));
  row.failure = given.failure;
  row.in_doubt = given.in_doubt;
  row.archived = given.archived;
  desk.bench.commit({ports::PutDelivery{row}});
  const DeliveryExplanation told = desk.ask("github#1").deliveries.at(0);
  std::string text(to_text(told.replay_safe));
  for (const std::string& reason : told.replay_reasons) text += "; " + reason;
  return text;
}

TEST_CASE("whether a replay can do harm") {
  CHECK(verdict({}) == "yes; the handler takes a repeat under its Idempotency-Key as one");
  CHECK(verdict({.idempotent = false}) == "yes; no attempt was applied");
  CHECK(verdict({.archived = true}) == "no");
  CHECK(verdict({.failure = FailureClass::ambiguous, .in_doubt = true, .idempotent = false}) ==
        "unknown; it may have been applied, and the flow says idempotent: false");
  CHECK(verdict({.failure = FailureClass::expired}) ==
        "unknown; its deadline had passed: it may be too late");
  CHECK(verdict({.where = R"({"type":["other"]})"}) ==
        "unknown; the flow's pattern does not match this event any more");
}

}  // namespace
}  // namespace weir::recovery::testing
