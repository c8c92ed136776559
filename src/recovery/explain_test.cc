// SPDX-License-Identifier: Apache-2.0
#include "recovery/explain.h"

#include <doctest/doctest.h>

#include "recovery/testing/explain_desk.h"
#include "store/memory/memory_store.h"

namespace weir::recovery {
namespace {

using namespace ports::testing;
using namespace recovery::testing;

struct Desk : ExplainDesk {
  Desk() : ExplainDesk([](async::Executor executor) { return store::memory::open(executor); }) {}
};

const std::string kEvent =
    "Event    recorded 14:01:40 UTC from /octo/hello, 7 bytes of application/json\n";

TEST_CASE("explain: quarantined names rule, group, those held, and the next commands") {
  Desk desk;
  desk.publish(3);
  desk.quarantine(1, ago(60));
  desk.quarantine(2, ago(50));
  desk.running[{kFlow, 1}] = {.settled_or_owned = true,
                              .sent = true,
                              .hold = Hold{kFlow, "octo/hello#17", place(1), 3, 3, 1}};
  CHECK(desk.text("github#1") ==
        "issues.opened id-1  key=octo/hello#17  github#1 -> flow sync-issues\n"
        "QUARANTINED 14:04:00 after 2 attempts: 422 is permanent (class permanent)\n"
        "\n"
        "  #  at        took   outcome  class      decision\n"
        "  1  14:03:20  1.0 s  timeout  ambiguous  retry: transport.timeout: attempt 1 of 5 "
        "failed: tracker did not "
        "answer in 1.0 s\n"
        "  2  14:04:00  12 ms  422      permanent  quarantine: http.422: 422 is permanent\n"
        "\n" +
            kEvent +
            "Why      rule http.422, class permanent: it fails again until the handler or its "
            "configuration changes\n"
            "         no named failure mode matched\n"
            "         1 other failed the same way (group 9ad1); 1 key affected\n"
            "         1 later delivery of key octo/hello#17 is held behind this one\n"
            "Group    9ad1 422 urn:tracker:missing-repository: 2 in quarantine, 2 ever, first "
            "14:04:00, last 14:04:10\n"
            "Replay   safe yes: the handler takes a repeat under its Idempotency-Key as one\n"
            "Next     weir replay plan --group 9ad1 --dry-run\n"
            "         weir quarantine resolve github#1 --flow sync-issues --reason TEXT\n"
            "         name the cause: add this to failureModes in the configuration\n"
            "           - name: tracker-422\n"
            "             match: { status: [422], problemType: "
            "[\"urn:tracker:missing-repository\"] }\n"
            "             runbook: docs/runbooks/tracker-422.md\n");
}

TEST_CASE(
    "explain: a replay is blocked by an open breaker, a paused flow, an archived row and another "
    "replay") {
  Desk desk;
  desk.publish(1);
  Delivery row = desk.quarantine(1, ago(60));
  CHECK(desk.ask("github#1").deliveries.at(0).replay_blocked.empty());

  desk.tracker = {.breaker_open = true,
                  .breaker = "open until 14:06:11 (61 % of 120 calls failed)",
                  .refusal = "breaker open until 14:06:11"};
  desk.records[0].status = FlowStatus::paused;
  desk.records[0].reason = "by ann: tracker is down";
  desk.records[0].since = ago(30);
  const Explanation blocked = desk.ask("github#1");
  CHECK(blocked.deliveries.at(0).replay_blocked ==
        std::vector<std::string>{"the flow is paused",
                                 "breaker open until 14:06:11 (61 % of 120 calls failed)"});
  const std::string text = to_text(blocked, kNow);
  CHECK(text.find("Replay   blocked: the flow is paused; breaker open until 14:06:11") !=
        text.npos);
  CHECK(text.find("flow sync-issues is paused since 14:04:30: by ann: tracker is down\n") !=
        text.npos);
  CHECK(text.find("circuit breaker of tracker: open until 14:06:11") != text.npos);
  CHECK(text.find("tracker gets no calls now: breaker open until 14:06:11\n") != text.npos);

  desk.tracker = {.breaker = "closed"};
  desk.records[0].status = FlowStatus::active;
  auto receipt = desk.bench.commit(
      {ports::CreateReplay{replay(Selection{.flow = "sync-issues"}, kNow)}}, ports::Lane::operate);
  desk.bench.commit({ports::AddReplayItems{receipt.replay, {row.ref}}}, ports::Lane::operate);
  const DeliveryExplanation taken = desk.ask("github#1").deliveries.at(0);
  CHECK(taken.replay_blocked == std::vector<std::string>{"it belongs to replay r1 already"});
  CHECK(taken.next.at(0) == "weir replay get r1");

  row.archived = true;
  desk.bench.commit({ports::PutDelivery{row}});
  CHECK(desk.ask("github#1").deliveries.at(0).replay_blocked.front() ==
        "it is archived: weir quarantine restore");
}

TEST_CASE("explain: a named failure mode brings its runbook, and nothing is suggested") {
  Desk desk;
  desk.publish(1);
  Delivery row = desk.quarantine(1, ago(60));
  row.failure_mode = "missing-repository";
  row.in_doubt = true;
  desk.bench.commit({ports::PutDelivery{row}, join(1, "9ad10000000000aa", ago(60))});
  const DeliveryExplanation named = desk.ask("github#1").deliveries.at(0);
  CHECK(named.runbook == "docs/runbooks/missing.md");
  CHECK(named.suggested_mode.empty());
  CHECK(named.next.at(0) == "runbook docs/runbooks/missing.md");
  CHECK(named.next.at(1) == "find out whether it was applied, before anything else");
  CHECK(
      desk.text("github#1").find("(failure mode missing-repository, class permanent, in doubt)") !=
      std::string::npos);

  desk.mode.name = "renamed";
  const DeliveryExplanation gone = desk.ask("github#1").deliveries.at(0);
  CHECK(gone.runbook.empty());
  CHECK(gone.why.at(1) == "failure mode missing-repository is no longer in the configuration");
}

TEST_CASE("explain: group names grow until they are unambiguous") {
  Desk desk;
  desk.publish(2);
  desk.quarantine(1, ago(60), "9ad1c00000000000");
  CHECK(desk.ask("github#1").deliveries.at(0).group_name == "9ad1");
  desk.quarantine(2, ago(60), "9ad1cf0000000000");
  CHECK(desk.ask("github#1").deliveries.at(0).group_name == "9ad1c0");
}

TEST_CASE("explain: waiting tells when, how often still, and whether anybody has to act") {
  Desk desk;
  desk.publish(1);
  Delivery row = desk.quarantine(1, ago(60));
  row.state = DeliveryState::waiting;
  row.failure = FailureClass::ambiguous;
  row.attempts = row.attempts_this_round = 1;
  row.reason = "attempt 1 of 5 failed: tracker did not answer in 1.0 s";
  row.due = kNow + std::chrono::seconds{12};
  row.deadline = kNow + std::chrono::hours{24};
  row.history.pop_back();
  desk.bench.commit({ports::PutDelivery{row}});
  CHECK(desk.text("id-1") ==
        "issues.opened id-1  key=octo/hello#17  github#1 -> flow sync-issues\n"
        "WAITING until 14:05:12 (in 12.0 s) after 1 attempt: attempt 1 of 5 failed: tracker did "
        "not answer in 1.0 s "
        "(class ambiguous)\n"
        "\n"
        "  #  at        took   outcome  class      decision\n"
        "  1  14:03:20  1.0 s  timeout  ambiguous  retry: transport.timeout: attempt 1 of 5 "
        "failed: tracker did not "
        "answer in 1.0 s\n"
        "\n" +
            kEvent +
            "Why      1 of 5 attempts made; deadline 2026-11-22 14:05:00\n"
            "Next     nothing to do: Weir tries again by itself\n");

  row.due = ago(3);
  desk.bench.commit({ports::PutDelivery{row}});
  desk.tracker = {.breaker = "closed", .refusal = "retry budget is used up"};
  const std::string due = desk.text("id-1");
  CHECK(due.find("WAITING for admission, due since 14:04:57 after 1 attempt") != due.npos);
  CHECK(due.find("tracker gets no calls now: retry budget is used up\nNext     weir dependency get "
                 "tracker\n") != due.npos);
}

TEST_CASE("explain: held names the holder and why it holds") {
  Desk desk;
  desk.publish(4);
  desk.quarantine(1, ago(60));
  desk.dealt_with(4);
  const Hold hold{kFlow, "octo/hello#17", place(1), 2, 3, 2};
  desk.running[{kFlow, 3}] = {.settled_or_owned = true, .sent = true, .hold = hold};
  CHECK(desk.text("github#3") ==
        "issues.opened id-3  key=octo/hello#17  github#3 -> flow sync-issues\n"
        "HELD behind github#1, quarantined since 14:04:00: 422 is permanent\n"
        "\n" +
            kEvent +
            "Why      key octo/hello#17 is held by github#1: one delivery per key, in the order of "
            "the stream\n"
            "         2 events behind it\n"
            "         github#1 is quarantined: 422 is permanent\n"
            "Next     weir explain github#1 --flow sync-issues\n");

  // Not read yet, and its key is held: it will wait too.
  desk.running[{kFlow, 4}] = {.hold = hold};
  const DeliveryExplanation later = desk.ask("github#4").deliveries.at(0);
  CHECK(later.state == DeliveryState::ready);
  CHECK(later.why.at(0) == "key octo/hello#17 is held by github#1: it will wait behind it");

  // The holder is settled, and those behind it follow one by one.
  Hold draining = hold;
  draining.holder = place(2);
  draining.first = 3;
  draining.count = 1;
  draining.released = true;
  desk.running[{kFlow, 2}] = {.settled_or_owned = true, .sent = true, .hold = draining};
  desk.running[{kFlow, 3}] = {.settled_or_owned = true, .sent = true, .hold = draining};
  CHECK(desk.ask("github#2").deliveries.at(0).state == DeliveryState::inFlight);
  CHECK(desk.text("github#3").find("HELD behind github#2, which is on its way\n") !=
        std::string::npos);
}

TEST_CASE("explain: settled at the first attempt, or filtered") {
  Desk desk;
  desk.publish(2);
  desk.bench.commit(
      {ports::AddSettlements{kFlow, kStream, ago(90), {{1, 204, 12'000, 1}, {2, 0, 0, 1}}}});
  desk.dealt_with(3);
  CHECK(desk.text("github#1") ==
        "issues.opened id-1  key=octo/hello#17  github#1 -> flow sync-issues\n"
        "DONE 14:03:30 after 1 attempt: 204 in 12 ms\n"
        "\n" +
            kEvent);
  desk.config.flows[0].where = R"({"type":[{"prefix":"com.github."}]})";
  CHECK(desk.text("github#2") ==
        "issues.opened id-2  key=octo/hello#17  github#2 -> flow sync-issues\n"
        "FILTERED 14:03:30: the flow's pattern did not match\n"
        "\n" +
            kEvent + R"(Why      pattern {"type":[{"prefix":"com.github."}]})" + "\n");
  desk.config.flows[0].where = R"({"type":["issues.opened"]})";
  CHECK(desk.ask("github#2").deliveries.at(0).why.at(0) ==
        "the pattern was another one then: today's would match it");
}

TEST_CASE("explain: ready waits for its turn, and says what is in its way") {
  Desk desk;
  desk.publish(4);
  desk.dealt_with(2);
  CHECK(desk.text("github#4") ==
        "issues.opened id-4  key=octo/hello#17  github#4 -> flow sync-issues\n"
        "READY: waiting for its turn\n"
        "\n" +
            kEvent + "Why      at most 2 earlier events of the stream come first\n");
  CHECK(desk.ask("github#2").deliveries.at(0).why.at(0) ==
        "no earlier event of the stream is in its way");

  desk.running[{kFlow, 2}] = {.sent = true};
  CHECK(desk.text("github#2").find("IN FLIGHT: its first attempt is under way\n") !=
        std::string::npos);
  desk.records[0].status = FlowStatus::paused;
  const Explanation paused = desk.ask("github#2");
  CHECK(paused.deliveries.at(0).state == DeliveryState::ready);
  CHECK(to_text(paused, kNow).find("READY: the flow is paused\n") != std::string::npos);
  CHECK(paused.deliveries.at(0).next == std::vector<std::string>{"weir flow resume sync-issues"});

  desk.records[0].status = FlowStatus::active;
  desk.config.flows[0].where = R"({"type":["other"]})";
  CHECK(desk.ask("github#2").deliveries.at(0).why.at(0) ==
        "the flow's pattern does not match it: it will be settled as filtered");
}

TEST_CASE("explain: what was decided this moment is under way until its commit is durable") {
  Desk desk;
  desk.publish(1);
  desk.running[{kFlow, 1}] = {.settled_or_owned = true, .sent = true};
  CHECK(desk.ask("github#1").deliveries.at(0).state == DeliveryState::inFlight);
}

TEST_CASE("explain: what is decided while the store is read is read again") {
  Desk desk;
  desk.publish(1);
  bool decided = false;
  desk.live.delivery = [&](FlowId, Position, std::string_view) {
    if (!decided) desk.quarantine(1, ago(0));
    decided = true;
    return std::optional(LiveDelivery{.settled_or_owned = true, .sent = true});
  };
  CHECK(desk.ask("github#1").deliveries.at(0).state == DeliveryState::quarantined);
}

TEST_CASE("explain: an event from before the flow's start") {
  Desk desk;
  desk.publish(3);
  desk.dealt_with(3);
  desk.running[{kFlow, 2}] = {.settled_or_owned = true, .sent = true};
  const std::string text = desk.text("github#2");
  CHECK(text.find("BEFORE THE FLOW'S START: this flow never gets it\n") != text.npos);
  CHECK(text.find("Why      github#2 was in the stream before the flow started") != text.npos);
}

TEST_CASE("explain: a covered event above the floor without any record is unknown, not guessed") {
  Desk desk;
  desk.publish(3);
  desk.bench.commit({ports::PutCursor{kFlow, Cursor{.floor = 1, .mark = 4, .settled = {{2, 3}}}}});
  const DeliveryExplanation delivery = desk.ask("github#2").deliveries.at(0);
  CHECK(delivery.standing == Standing::unknown);
  CHECK(delivery.why.at(1) == "explain it again; if this stays, run weir store check");
  CHECK(desk.ask("github#1").deliveries.at(0).standing == Standing::known);
  CHECK(desk.ask("github#3").deliveries.at(0).standing == Standing::known);
}

TEST_CASE("explain: trimmed by retention, with and without a copy") {
  Desk desk;
  desk.add_flow(FlowId{2}, "feed");
  desk.publish(3);
  desk.quarantine(1, ago(60));
  desk.dealt_with(4);
  desk.dealt_with(4, FlowId{2});
  desk.bench.commit({ports::TrimStream{kStream, 3, {}}}, ports::Lane::operate);
  CHECK(desk.text("github#2") ==
        "github#2 -> flow feed\n"
        "TRIMMED: the retention of stream github ended for it\n"
        "\n"
        "Why      retention keeps what an open delivery needs, so nothing was open in this flow\n"
        "         whether it was delivered, filtered or before the flow's start cannot be known "
        "any more\n"
        "\n"
        "github#2 -> flow sync-issues\n"
        "TRIMMED: the retention of stream github ended for it\n"
        "\n"
        "Why      retention keeps what an open delivery needs, so nothing was open in this flow\n"
        "         whether it was delivered, filtered or before the flow's start cannot be known "
        "any more\n");
  // Quarantine keeps its own copy; the other flow's record went with the log.
  const Explanation kept = desk.ask("github#1");
  REQUIRE(kept.event);
  CHECK(kept.event->subject == "octo/hello#17");
  CHECK(kept.deliveries.at(0).flow == "sync-issues");
  CHECK(kept.deliveries.at(0).state == DeliveryState::quarantined);
  CHECK(kept.deliveries.at(1).standing == Standing::trimmed);
}

TEST_CASE("explain: the last one behind a hold, decided and not yet written, is under way") {
  Desk desk;
  desk.publish(3);
  desk.dealt_with(4);
  desk.bench.commit({ports::PutHold{Hold{kFlow, "octo/hello#17", place(1), 3, 3, 1, true}}});
  desk.running[{kFlow, 3}] = {.settled_or_owned = true, .sent = true};  // it let the hold go
  const DeliveryExplanation decided = desk.ask("github#3").deliveries.at(0);
  CHECK(decided.standing == Standing::known);
  CHECK(decided.state == DeliveryState::inFlight);
  desk.running[{kFlow, 2}] = {.settled_or_owned = true, .sent = true};
  CHECK(desk.ask("github#2").deliveries.at(0).standing == Standing::beforeStart);
}

TEST_CASE("explain: a removed flow is shown as such") {
  Desk desk;
  desk.publish(3);
  desk.quarantine(1, ago(60));
  desk.config.flows.clear();
  desk.records[0].reason = "no longer in the configuration";
  desk.live.delivery = [](FlowId, Position, std::string_view) {
    return std::optional<LiveDelivery>();
  };
  const Explanation removed = desk.ask("github#1");
  const std::string text = to_text(removed, kNow);
  CHECK(text.find("-> flow sync-issues (removed from the configuration)\nQUARANTINED") !=
        text.npos);
  CHECK(removed.deliveries.at(0).dependency == "tracker");  // the group knows it still
  CHECK(removed.deliveries.at(0).replay_blocked ==
        std::vector<std::string>{"the flow was removed"});
  CHECK(text.find("Next     put flow sync-issues back into the configuration to replay it\n") !=
        text.npos);
  CHECK(desk.text("github#3").find("READY: the flow is removed\n") != std::string::npos);

  // Its ordering key went with its rules: an event that may be behind a hold cannot be told.
  desk.dealt_with(4);
  desk.bench.commit({ports::PutHold{Hold{kFlow, "octo/hello#17", place(1), 3, 3, 1}}});
  CHECK(desk.ask("github#3").deliveries.at(0).standing == Standing::unknown);
  CHECK(desk.ask("github#2").deliveries.at(0).standing == Standing::beforeStart);
}

TEST_CASE("explain: one flow of several, those in trouble first") {
  Desk desk;
  desk.add_flow(FlowId{2}, "feed");
  desk.publish(1);
  CHECK(desk.ask("github#1").deliveries.at(0).flow == "feed");
  desk.quarantine(1, ago(60));
  const Explanation both = desk.ask("github#1");
  REQUIRE(both.deliveries.size() == 2);
  CHECK(both.deliveries[0].flow == "sync-issues");
  CHECK(both.deliveries[1].state == DeliveryState::ready);
  const Explanation one = desk.ask("github#1", "feed");
  REQUIRE(one.deliveries.size() == 1);
  CHECK(one.deliveries[0].flow == "feed");

  desk.records.clear();
  CHECK(desk.text("github#1") ==
        "issues.opened id-1  github#1\nNo flow reads stream github: nobody gets this event.\n" +
            kEvent);
}

TEST_CASE("explain: errors say what to do") {
  Desk desk;
  desk.publish(2);
  const auto unknown = desk.try_ask("7f3c");
  REQUIRE(!unknown.ok());
  CHECK(unknown.error().code == Code::event_unknown);
  CHECK(unknown.error().hint.find("stream#seq") != std::string::npos);
  const auto later = desk.try_ask("github#3");
  REQUIRE(!later.ok());
  CHECK(weir::to_text(later.error()) ==
        "error[WR1110]: there is no event github#3 yet\nhint: the newest event is github#2");
  CHECK(desk.try_ask("github#0").error().code == Code::event_unknown);
  const auto stream = desk.try_ask("githb#1");
  REQUIRE(!stream.ok());
  CHECK(weir::to_text(stream.error()) ==
        "error[WR1201]: unknown stream 'githb'\nhint: did you mean 'github'?");
  CHECK(desk.try_ask("githb#x").error().code == Code::event_unknown);
  const auto flow = desk.try_ask("github#1", "sync-isues");
  REQUIRE(!flow.ok());
  CHECK(flow.error().code == Code::unknown_flow);
  CHECK(flow.error().hint == "did you mean 'sync-issues'?");
  desk.records.push_back(ports::testing::flow(FlowId{7}, "elsewhere", StreamId{2}));
  const auto elsewhere = desk.try_ask("github#1", "elsewhere");
  REQUIRE(!elsewhere.ok());
  CHECK(elsewhere.error().code == Code::unknown_delivery);
  CHECK(elsewhere.error().hint == "flows of this stream: sync-issues");
}

}  // namespace
}  // namespace weir::recovery
