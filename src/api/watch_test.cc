// SPDX-License-Identifier: Apache-2.0
#include "api/watch.h"

#include <doctest/doctest.h>

namespace weir::api {
namespace {

const WallTime kSince = WallTime{} + std::chrono::hours{24};

TEST_CASE("watch: an alarm is told once when it is raised and once when it is cleared") {
  const Alarm breaker{"breakerOpen", "tracker", kSince, "breaker open for another 5.00 s"};
  const Alarm brake{"deadLetterBrake", "sync", kSince, "a \"reason\"\nof two lines"};
  Alarm later = breaker;
  later.reason = "breaker open for another 4.00 s";

  CHECK(all_alarms_event({}) == "event: alarms\ndata: []\n\n");
  CHECK(all_alarms_event({brake}) ==
        "event: alarms\n"
        R"(data: [{"type":"deadLetterBrake","name":"sync","since":"1970-01-02T00:00:00.000Z",)"
        R"("reason":"a \"reason\"\nof two lines"}])"
        "\n\n");
  Alarm again = breaker;
  again.since += std::chrono::seconds{1};
  const std::string both = alarm_events({breaker}, {again});
  CHECK(both.starts_with("event: alarmCleared\n"));
  CHECK(both.find("event: alarmRaised\n") != std::string::npos);

  CHECK(alarm_events({}, {}).empty());
  CHECK(alarm_events({}, {breaker, brake}) ==
        "event: alarmRaised\n"
        R"(data: {"type":"breakerOpen","name":"tracker","since":"1970-01-02T00:00:00.000Z",)"
        R"("reason":"breaker open for another 5.00 s"})"
        "\n\nevent: alarmRaised\n"
        R"(data: {"type":"deadLetterBrake","name":"sync","since":"1970-01-02T00:00:00.000Z",)"
        R"("reason":"a \"reason\"\nof two lines"})"
        "\n\n");
  CHECK(alarm_events({breaker, brake}, {later, brake}).empty());
  CHECK(alarm_events({later, brake}, {brake}) ==
        "event: alarmCleared\n"
        R"(data: {"type":"breakerOpen","name":"tracker","since":"1970-01-02T00:00:00.000Z",)"
        R"("reason":"breaker open for another 4.00 s"})"
        "\n\n");
}

}  // namespace
}  // namespace weir::api
