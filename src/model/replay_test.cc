// SPDX-License-Identifier: Apache-2.0
#include "model/replay.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace weir {
namespace {

std::optional<WallTime> any_time() {
  if (*rc::gen::arbitrary<bool>()) return std::nullopt;
  return from_micros(*rc::gen::arbitrary<std::int64_t>());
}

double any_number() { return *rc::gen::inRange(-1'000'000, 1'000'000) / 128.0; }

std::vector<PlanCheck> any_checks() {
  std::vector<PlanCheck> checks(*rc::gen::inRange<std::size_t>(0, 4));
  for (PlanCheck& check : checks) {
    check = {.kind = static_cast<CheckKind>(*rc::gen::inRange(0, 6)),
             .subject = *rc::gen::arbitrary<std::string>(),
             .duration = Duration{*rc::gen::arbitrary<std::int64_t>()},
             .paused = *rc::gen::arbitrary<bool>(),
             .from = Duration{*rc::gen::arbitrary<std::int64_t>()},
             .until = Duration{*rc::gen::arbitrary<std::int64_t>()},
             .status = *rc::gen::arbitrary<std::uint32_t>(),
             .header = *rc::gen::arbitrary<std::string>(),
             .value = *rc::gen::arbitrary<std::string>(),
             .query = *rc::gen::arbitrary<std::string>(),
             .below = any_number()};
  }
  return checks;
}

StopRule any_rule() { return {any_number(), static_cast<StopAction>(*rc::gen::inRange(0, 3))}; }

ReplayPlan any_plan() {
  ReplayPlan plan;
  plan.selection = {.group = *rc::gen::arbitrary<std::string>(),
                    .flow = *rc::gen::arbitrary<std::string>(),
                    .since = any_time(),
                    .until = any_time(),
                    .where = *rc::gen::arbitrary<std::string>(),
                    .ids = *rc::gen::arbitrary<std::vector<std::string>>()};
  if (*rc::gen::arbitrary<bool>()) {
    plan.selection.failure = static_cast<FailureClass>(*rc::gen::inRange(0, kFailureClassCount));
  }
  plan.rate = {any_number(), any_number(), any_number(),
               Duration{*rc::gen::arbitrary<std::int64_t>()}, *rc::gen::arbitrary<std::uint32_t>()};
  plan.canary = {*rc::gen::arbitrary<std::uint32_t>(),
                 Duration{*rc::gen::arbitrary<std::int64_t>()}};
  plan.selection.dependency = *rc::gen::arbitrary<std::string>();
  plan.selection.key = *rc::gen::arbitrary<std::string>();
  plan.selection.type = *rc::gen::arbitrary<std::string>();
  plan.selection.status = *rc::gen::arbitrary<std::uint32_t>();
  plan.selection.mark = static_cast<Mark>(*rc::gen::inRange(0, 4));
  plan.selection.delivered = *rc::gen::arbitrary<bool>();
  plan.rate.share = any_number();
  plan.canary.share = any_number();
  plan.staleness = {static_cast<Stale>(*rc::gen::inRange(0, 3)),
                    static_cast<Stale>(*rc::gen::inRange(0, 3))};
  plan.terms = {*rc::gen::arbitrary<std::uint32_t>(),
                *rc::gen::arbitrary<bool>(),
                {*rc::gen::arbitrary<std::string>()},
                {{*rc::gen::arbitrary<std::string>(), *rc::gen::arbitrary<std::string>()}}};
  plan.preconditions = any_checks();
  plan.verify = {*rc::gen::arbitrary<bool>(), any_checks(), *rc::gen::arbitrary<bool>(),
                 *rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<bool>()};
  plan.stop = {any_rule(), any_rule(), any_rule(), any_rule(), any_rule(), any_rule()};
  plan.reason = *rc::gen::arbitrary<std::string>();
  plan.actor = *rc::gen::arbitrary<std::string>();
  plan.makers = *rc::gen::arbitrary<std::vector<std::string>>();
  plan.edited = *rc::gen::arbitrary<std::uint64_t>();
  plan.revisions = *rc::gen::arbitrary<std::string>();
  return plan;
}

TEST_CASE("a plan is read back as it was") {
  CHECK(rc::check("plan round trip", [] {
    const ReplayPlan plan = any_plan();
    const Result<ReplayPlan> read = decode_replay_plan(encode_replay_plan(plan));
    RC_ASSERT(read.ok());
    RC_ASSERT(*read == plan);
  }));
}

TEST_CASE("cut, lengthened and unknown plans are damaged") {
  ReplayPlan plan;
  plan.selection.ids = {"github#1", "github#2"};
  plan.selection.since = from_micros(5);
  plan.selection.failure = FailureClass::interrupted;
  plan.reason = "fixed in version 2";
  const std::string blob = encode_replay_plan(plan);
  REQUIRE(decode_replay_plan(blob).ok());
  for (std::size_t size = 0; size < blob.size(); ++size) {
    CAPTURE(size);
    const auto read = decode_replay_plan(std::string_view(blob).substr(0, size));
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code == Code::store_corrupt);
  }
  CHECK_FALSE(decode_replay_plan(blob + '\0').ok());
  std::string newer = blob;
  newer[0] = static_cast<char>(newer[0] + 1);
  CHECK_FALSE(decode_replay_plan(newer).ok());
  std::string unknown_class = blob;
  unknown_class[3] = kFailureClassCount + 1;  // version, empty group, empty flow, class + 1
  CHECK_FALSE(decode_replay_plan(unknown_class).ok());
}

TEST_CASE("as many ids as a selection may have, not more") {
  ReplayPlan plan;
  plan.selection.ids.assign(10'000, "s#1");
  CHECK(decode_replay_plan(encode_replay_plan(plan)).ok());
  plan.selection.ids.emplace_back("s#1");
  CHECK_FALSE(decode_replay_plan(encode_replay_plan(plan)).ok());
}

TEST_CASE("no bytes make the decoder read outside of them") {
  CHECK(rc::check("garbage", [](std::string bytes) {
    if (!bytes.empty()) bytes[0] = 2;
    (void)decode_replay_plan(bytes);
  }));
  CHECK(rc::check("one wrong byte", [] {
    std::string blob = encode_replay_plan(any_plan());
    blob[*rc::gen::inRange<std::size_t>(0, blob.size())] = *rc::gen::arbitrary<char>();
    (void)decode_replay_plan(blob);
  }));
}

TEST_CASE("a selection is empty only without any condition") {
  CHECK(Selection{}.empty());
  CHECK_FALSE(Selection{.group = "9ad1"}.empty());
  CHECK_FALSE(Selection{.flow = "sync"}.empty());
  CHECK_FALSE(Selection{.failure = FailureClass::ok}.empty());
  CHECK_FALSE(Selection{.since = WallTime{}}.empty());
  CHECK_FALSE(Selection{.until = WallTime{}}.empty());
  CHECK_FALSE(Selection{.where = "{}"}.empty());
  CHECK_FALSE(Selection{.ids = {""}}.empty());
}

TEST_CASE("states have names, run or are over") {
  std::set<std::string_view> names, running, over;
  for (int i = 0; i <= static_cast<int>(ReplayState::completed); ++i) {
    const auto state = static_cast<ReplayState>(i);
    names.insert(to_text(state));
    if (is_running(state)) running.insert(to_text(state));
    if (is_over(state)) over.insert(to_text(state));
  }
  CHECK(names.size() == 8);
  CHECK(running == std::set<std::string_view>{"canary", "running"});
  CHECK(over == std::set<std::string_view>{"aborted", "completed"});

  std::set<std::string_view> items;
  for (int i = 0; i <= static_cast<int>(ItemState::inDoubt); ++i) {
    items.insert(to_text(static_cast<ItemState>(i)));
  }
  CHECK(items == std::set<std::string_view>{"planned", "claimed", "succeeded", "failedAgain",
                                            "skipped", "inDoubt"});
}

TEST_CASE("in flight is what was sent and has no end yet") {
  const ReplayCounts counts = {
      .planned = 10, .sent = 7, .succeeded = 3, .failed_again = 2, .skipped = 1, .in_doubt = 1};
  CHECK(counts.in_flight() == 1);
}

}  // namespace
}  // namespace weir
