// SPDX-License-Identifier: Apache-2.0
#include "model/delivery.h"

#include <limits>
#include <set>
#include <string>

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace weir {
namespace {

using namespace std::chrono_literals;

AttemptRecord any_line() {
  return {.number = *rc::gen::arbitrary<std::uint32_t>(),
          .at = from_micros(*rc::gen::arbitrary<std::int64_t>()),
          .took = Duration{*rc::gen::inRange<std::int64_t>(
              0, std::numeric_limits<std::int64_t>::max())},
          .status = *rc::gen::arbitrary<std::uint16_t>(),
          .fault = static_cast<Fault>(*rc::gen::inRange(0, kFaultCount)),
          .failure = static_cast<FailureClass>(*rc::gen::inRange(0, kFailureClassCount)),
          .decision = static_cast<DecisionKind>(
              *rc::gen::inRange(0, static_cast<int>(DecisionKind::pauseFlow) + 1)),
          .note = *rc::gen::arbitrary<std::string>(),
          .replay = ReplayId{*rc::gen::arbitrary<std::uint32_t>()}};
}

// Only what the details hold.
Delivery any_details() {
  Delivery made;
  for (std::string* text : {&made.key, &made.event_id, &made.event_type, &made.reason,
                            &made.failure_mode, &made.resolution}) {
    *text = *rc::gen::arbitrary<std::string>();
  }
  const auto lines = *rc::gen::inRange<std::size_t>(0, kHistoryMax + 1);
  for (std::size_t i = 0; i < lines; ++i) made.history.push_back(any_line());
  return made;
}

Delivery example_delivery() {
  Delivery made;
  made.key = "octo/hello#17";
  made.event_id = "7f3c";
  made.event_type = "com.github.issues.opened";
  made.reason = "422 is permanent";
  made.failure_mode = "payload-without-repository";
  made.resolution = "fixed by hand";
  made.add_history({.number = 1,
                    .at = from_micros(1'000'000),
                    .took = 1s,
                    .fault = Fault::timeout,
                    .failure = FailureClass::ambiguous,
                    .decision = DecisionKind::retryAt,
                    .note = "transport.timeout"});
  made.add_history({.number = 2,
                    .at = from_micros(2'000'000),
                    .took = 20ms,
                    .status = 422,
                    .failure = FailureClass::permanent,
                    .decision = DecisionKind::quarantine,
                    .note = "http.422",
                    .replay = ReplayId{3}});
  return made;
}

TEST_CASE("details are read back as they were") {
  CHECK(rc::check("details round trip", [] {
    const Delivery made = any_details();
    Delivery read;
    RC_ASSERT(decode_delivery_details(encode_delivery_details(made), read).ok());
    RC_ASSERT(read == made);
  }));
}

TEST_CASE("reading details leaves the rest of the delivery alone, and replaces old details") {
  Delivery into = example_delivery();
  into.ref = {FlowId{2}, {StreamId{1}, 0, 77}};
  into.state = DeliveryState::quarantined;
  into.attempts = 9;
  into.add_history({.number = 3});
  REQUIRE(decode_delivery_details(encode_delivery_details(example_delivery()), into).ok());
  CHECK(into.ref.position.seq == 77);
  CHECK(into.state == DeliveryState::quarantined);
  CHECK(into.attempts == 9);
  CHECK(into.history == example_delivery().history);
}

TEST_CASE("a clock that went backwards does not break the record") {
  Delivery made;
  made.add_history({.number = 1, .took = -5s});
  Delivery read;
  REQUIRE(decode_delivery_details(encode_delivery_details(made), read).ok());
  CHECK(read.history[0].took == 0s);
}

TEST_CASE("cut, lengthened and unknown details are damaged") {
  const std::string blob = encode_delivery_details(example_delivery());
  Delivery into;
  for (std::size_t size = 0; size < blob.size(); ++size) {
    CAPTURE(size);
    const Result<> read = decode_delivery_details(std::string_view(blob).substr(0, size), into);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code == Code::store_corrupt);
  }
  CHECK(decode_delivery_details(blob, into).ok());
  CHECK_FALSE(decode_delivery_details(blob + '\0', into).ok());
  std::string newer = blob;
  newer[0] = 3;
  CHECK_FALSE(decode_delivery_details(newer, into).ok());
}

TEST_CASE("unknown enumerators, too large numbers and too many lines are damaged") {
  const std::string empty_texts = std::string(1, '\2') + std::string(6, '\0');
  const auto line = [](char fault, char failure, char decision) {
    std::string bytes = "\1";                     // number
    bytes += std::string(8, '\0') + '\0' + '\0';  // at, took, status
    bytes += {fault, failure, decision};
    return bytes + '\0' + '\0';  // note, replay
  };
  Delivery into;
  const auto reads = [&](const std::string& tail) {
    return decode_delivery_details(empty_texts + tail + '\0', into).ok();  // no terms
  };
  CHECK(reads("\1" + line(kFaultCount - 1, kFailureClassCount - 1, 5)));
  CHECK_FALSE(reads("\1" + line(kFaultCount, 0, 0)));
  CHECK_FALSE(reads("\1" + line(0, kFailureClassCount, 0)));
  CHECK_FALSE(reads("\1" + line(0, 0, 6)));
  std::string wide = line(0, 0, 0);
  wide.replace(0, 1, "\xFF\xFF\xFF\xFF\x1F");  // an attempt number of more than 32 bits
  CHECK_FALSE(reads("\1" + wide));

  std::string lines;
  for (std::size_t i = 0; i < kHistoryMax; ++i) lines += line(0, 0, 0);
  CHECK(reads(static_cast<char>(kHistoryMax) + lines));
  CHECK_FALSE(reads(static_cast<char>(kHistoryMax + 1) + lines + line(0, 0, 0)));
}

TEST_CASE("no bytes make the decoder read outside of them") {
  CHECK(rc::check("garbage", [](std::string bytes) {
    if (!bytes.empty()) bytes[0] = 1;
    Delivery into;
    (void)decode_delivery_details(bytes, into);
  }));
  CHECK(rc::check("one wrong byte", [] {
    std::string blob = encode_delivery_details(any_details());
    blob[*rc::gen::inRange<std::size_t>(0, blob.size())] = *rc::gen::arbitrary<char>();
    Delivery into;
    if (decode_delivery_details(blob, into).ok()) RC_ASSERT(into.history.size() <= kHistoryMax);
  }));
}

TEST_CASE("a long history keeps its first line and its last ones") {
  Delivery delivery;
  for (std::uint32_t i = 1; i <= 1000; ++i) {
    delivery.add_history({.number = i});
    REQUIRE(delivery.history.size() == std::min<std::size_t>(i, kHistoryMax));
    REQUIRE(delivery.history.front().number == 1);
    REQUIRE(delivery.history.back().number == i);
  }
  for (std::size_t i = 1; i < kHistoryMax; ++i) {
    CHECK(delivery.history[i].number == 1000 - kHistoryMax + 1 + i);
  }
}

TEST_CASE("states have names that are read back, and are open or settled") {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(DeliveryState::discarded); ++i) {
    const auto state = static_cast<DeliveryState>(i);
    CHECK(names.insert(to_text(state)).second);
    CHECK(parse_delivery_state(to_text(state)) == state);
    CHECK(is_open(state) != is_settled(state));
  }
  CHECK(names.size() == 9);
  CHECK(to_text(DeliveryState::inFlight) == "inFlight");
  CHECK(is_open(DeliveryState::quarantined));
  CHECK(is_settled(DeliveryState::done));
  CHECK(is_settled(DeliveryState::filtered));
  CHECK_FALSE(parse_delivery_state("Ready"));
  CHECK_FALSE(parse_delivery_state(""));
}

}  // namespace
}  // namespace weir
