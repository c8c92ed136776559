// SPDX-License-Identifier: Apache-2.0
// How an explanation looks as text and as JSON, on explanations made by hand.
#include <algorithm>

#include <doctest/doctest.h>

#include "base/text.h"
#include "policy/testing/property.h"
#include "recovery/explain.h"
#include "recovery/explain_why.h"
#include "wire/json.h"

namespace weir::recovery {
namespace {

const WallTime kNow = *parse_rfc3339("2026-11-21T14:05:00Z");

Explanation quarantined() {
  Delivery row;
  row.ref = {FlowId{1}, {StreamId{1}, 0, 42}};
  row.state = DeliveryState::quarantined;
  row.failure = FailureClass::ambiguous;
  row.attempts = 1;
  row.changed_at = kNow - std::chrono::hours{24};
  row.reason = "tracker did not answer in 1.0 s";
  row.failure_mode = "brownout";
  row.history = {{.number = 1,
                  .at = row.changed_at,
                  .took = std::chrono::seconds{1},
                  .fault = Fault::timeout,
                  .failure = FailureClass::ambiguous,
                  .decision = DecisionKind::quarantine,
                  .note = "inDoubt: may be"}};
  DeliveryExplanation delivery{.flow = "create-tickets",
                               .dependency = "tracker",
                               .state = DeliveryState::quarantined,
                               .key = "octo/hello#17",
                               .row = row};
  delivery.group = Group{
      .fingerprint = {"9ad1000000000000", "tracker did not answer", "fault timeout"},
      .open = 1205,
      .total = 3000,
      .first_at = row.changed_at,
      .last_at = kNow,
      .keys = 37};
  delivery.group_name = "9ad1";
  delivery.mode_is_configured = true;
  delivery.runbook = "docs/runbooks/brownout.md";
  Explanation explanation{.reference = "github#42",
                          .stream = "github",
                          .position = row.ref.position,
                          .recorded = row.changed_at};
  explanation.event = ExplainedEvent{.id = "7f3c",
                                     .source = "/octo",
                                     .type = "issues.opened",
                                     .extensions = {{"traceparent", "00-aa"}},
                                     .data_bytes = 1500,
                                     .has_data = true};
  add_sentences(delivery, explanation, kNow);
  explanation.deliveries.push_back(std::move(delivery));
  return explanation;
}

TEST_CASE("explain text: another day shows its date, large numbers are grouped") {
  const std::string text = to_text(quarantined(), kNow);
  CHECK(text.find("QUARANTINED 2026-11-20 14:05:00 after 1 attempt: tracker did not answer in 1.0 "
                  "s (failure mode "
                  "brownout, class ambiguous)\n") != text.npos);
  CHECK(text.find("1,204 others failed the same way (group 9ad1); 37 keys affected\n") !=
        text.npos);
  CHECK(text.find(
            "  1  2026-11-20 14:05:00  1.0 s  timeout  ambiguous  quarantine: inDoubt: may be\n") !=
        text.npos);
  CHECK(text.find("1,500 bytes\n") != text.npos);
  CHECK(text.find("Next     runbook docs/runbooks/brownout.md\n"
                  "         weir replay plan --group 9ad1 --dry-run\n") != text.npos);
}

TEST_CASE("explain text: lines that were no attempt have a dash, and lost lines are told") {
  Explanation explanation = quarantined();
  Delivery& row = *explanation.deliveries[0].row;
  row.history[0].at = kNow;
  row.history.push_back({.at = kNow,
                         .decision = DecisionKind::defer,
                         .note = "released by replay r3",
                         .replay = ReplayId{3}});
  row.history.push_back({.number = 2,
                         .at = kNow,
                         .took = std::chrono::milliseconds{5},
                         .status = 200,
                         .replay = ReplayId{3}});
  const std::string text = to_text(explanation, kNow);
  CHECK(text.find("  -  14:05:00  -      -        -          released by replay r3\n") !=
        text.npos);
  CHECK(text.find("  2  14:05:00  5 ms   200      ok         done (replay r3)\n") != text.npos);
  CHECK(text.find("are kept") == text.npos);
  for (std::uint32_t number = 3; row.history.size() < kHistoryMax; ++number) {
    row.add_history({.number = number, .at = kNow, .status = 503});
  }
  const std::string full = to_text(explanation, kNow);
  CHECK(full.find("only the first and the last 31 lines are kept") != full.npos);
}

TEST_CASE("explain text: verdicts of rows") {
  Explanation explanation = quarantined();
  DeliveryExplanation& delivery = explanation.deliveries[0];
  delivery.row->changed_at = kNow;
  delivery.row->resolution = "fixed by hand";
  const auto verdict = [&](DeliveryState state) {
    delivery.row->state = delivery.state = state;
    const std::string text = to_text(explanation, kNow);
    const auto first = text.find('\n') + 1;
    return text.substr(first, text.find('\n', first) - first);
  };
  CHECK(verdict(DeliveryState::resolved) == "RESOLVED 14:05:00 after 1 attempt: fixed by hand");
  CHECK(verdict(DeliveryState::discarded) == "DISCARDED 14:05:00 after 1 attempt: fixed by hand");
  CHECK(verdict(DeliveryState::inFlight) == "IN FLIGHT: attempt 2 is running");
  CHECK(verdict(DeliveryState::ready) == "READY since 14:05:00: tracker did not answer in 1.0 s");
  delivery.row->reason.clear();
  CHECK(verdict(DeliveryState::done) == "DONE 14:05:00 after 1 attempt");
  delivery.row->attempts = 0;
  CHECK(verdict(DeliveryState::quarantined) ==
        "QUARANTINED 14:05:00 without an attempt (failure mode brownout, class ambiguous)");
}

TEST_CASE("explain text: nothing that came from outside reaches the terminal raw") {
  CHECK(policy::testing::holds("explain text is printable", [] {
    Explanation explanation = quarantined();
    const auto hostile = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
    DeliveryExplanation& delivery = explanation.deliveries[0];
    explanation.event->id = explanation.event->type = explanation.event->source = hostile;
    delivery.key = delivery.flow = delivery.row->reason = delivery.group->fingerprint.title =
        hostile;
    delivery.row->history[0].note = hostile;
    delivery.why.push_back(hostile);
    const std::string text = to_text(explanation, kNow);
    RC_ASSERT(is_valid_utf8(text));
    for (const char c : text) RC_ASSERT(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
    const auto lines = [](const std::string& page) { return std::ranges::count(page, '\n'); };
    explanation = quarantined();
    explanation.deliveries[0].why.emplace_back("x");
    RC_ASSERT(lines(text) ==
              lines(to_text(explanation, kNow)));  // no line is added by what is inside
  }));
  Explanation explanation = quarantined();
  explanation.event->id = "\x1b[2Jx\u202e";
  CHECK(to_text(explanation, kNow).starts_with("issues.opened \\u{1b}[2Jx\\u{202e}  key="));
}

TEST_CASE("explain json: fields of a quarantined delivery") {
  Explanation explanation = quarantined();
  explanation.deliveries[0].row->history[0].note = "quote \" and \x1b";
  const std::string text = to_json(explanation);
  const auto parsed = wire::parse_json(text);
  REQUIRE(parsed.ok());
  const wire::Json root = parsed->root();
  CHECK(root.find("ref")->string() == "github#42");
  CHECK(root.find("seq")->integer() == 42);
  CHECK(root.find("recordedAt")->string() == "2026-11-20T14:05:00.000Z");
  CHECK(root.find("event")->find("extensions")->find("traceparent")->string() == "00-aa");
  CHECK(root.find("event")->find("dataBytes")->integer() == 1500);
  const wire::Json delivery = *root.find("deliveries")->begin();
  CHECK(delivery.find("state")->string() == "quarantined");
  CHECK(delivery.find("class")->string() == "ambiguous");
  CHECK(delivery.find("failureMode")->string() == "brownout");
  CHECK(delivery.find("runbook")->string() == "docs/runbooks/brownout.md");
  CHECK(delivery.find("group")->find("open")->integer() == 1205);
  CHECK(delivery.find("replayable")->find("now")->boolean());
  CHECK(delivery.find("replayable")->find("blockedBy")->size() == 0);
  CHECK(delivery.find("next")->size() == 3);
  CHECK(!delivery.find("settlement"));
  CHECK(!delivery.find("heldBy"));
  const wire::Json line = *delivery.find("history")->begin();
  CHECK(line.find("note")->string() == "quote \" and \x1b");
  CHECK(line.find("fault")->string() == "timeout");
  CHECK(!line.find("status"));
  CHECK(line.find("durationMs")->number() == 1000);
}

TEST_CASE("explain json: states that are none, a settlement, a holder") {
  Explanation explanation = quarantined();
  DeliveryExplanation plain{.flow = "feed"};
  explanation.deliveries.assign(4, plain);
  explanation.deliveries[0].standing = Standing::beforeStart;
  explanation.deliveries[1].state = DeliveryState::filtered;
  explanation.deliveries[1].settlement = Settlement{.seq = 42};
  explanation.deliveries[1].settled_at = kNow;
  explanation.deliveries[2].state = DeliveryState::held;
  explanation.deliveries[2].held_by = HeldBy{
      .holder = "github#40", .state = DeliveryState::waiting, .count = 3};
  explanation.deliveries[3].state = DeliveryState::done;
  explanation.deliveries[3].settlement = Settlement{.seq = 42, .status = 204, .duration_us = 1500};
  explanation.event.reset();
  const std::string text = to_json(explanation);
  const auto parsed = wire::parse_json(text);
  REQUIRE(parsed.ok());
  CHECK(!parsed->root().find("event"));
  std::vector<wire::Json> deliveries;
  const wire::Json list = *parsed->root().find("deliveries");
  for (const wire::Json delivery : list) deliveries.push_back(delivery);
  REQUIRE(deliveries.size() == 4);
  CHECK(deliveries[0].find("state")->string() == "beforeStart");
  CHECK(!deliveries[0].find("replayable"));
  CHECK(!deliveries[1].find("settlement")->find("status"));
  CHECK(deliveries[1].find("settlement")->find("at")->string() == "2026-11-21T14:05:00.000Z");
  CHECK(deliveries[2].find("heldBy")->find("behind")->integer() == 3);
  CHECK(deliveries[2].find("heldBy")->find("state")->string() == "waiting");
  CHECK(deliveries[3].find("settlement")->find("durationMs")->number() == 1.5);
  CHECK(deliveries[3].find("flowStatus")->string() == "active");
}

TEST_CASE("explain: commands quote what a shell would take apart") {
  Explanation explanation = quarantined();
  DeliveryExplanation& delivery = explanation.deliveries[0];
  delivery.group.reset();
  delivery.flow = "it's; rm";
  delivery.next.clear();
  add_sentences(delivery, explanation, kNow);
  CHECK(delivery.next.at(1) == "weir replay plan github#42 --flow 'it'\\''s; rm' --dry-run");
}

TEST_CASE("explain: no failure mode is suggested for what no outcome shows") {
  for (const bool answered : {true, false}) {
    Explanation explanation = quarantined();
    DeliveryExplanation& delivery = explanation.deliveries[0];
    delivery.row->failure_mode.clear();
    if (!answered) delivery.row->history.clear();
    add_sentences(delivery, explanation, kNow);
    CHECK(delivery.suggested_mode.empty() == !answered);
    if (answered) CHECK(delivery.suggested_mode.at(1) == "  match: { fault: [timeout] }");
  }
}

TEST_CASE("explain: numbers for people") {
  CHECK(counted(1, "key") == "1 key");
  CHECK(counted(0, "key") == "0 keys");
}

}  // namespace
}  // namespace weir::recovery
