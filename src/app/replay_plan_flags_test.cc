// SPDX-License-Identifier: Apache-2.0
#include "app/replay_plan_flags.h"

#include <CLI/CLI.hpp>
#include <doctest/doctest.h>

namespace weir::app {
namespace {

std::string body_of(const std::string& line, const std::string& reason = "") {
  CLI::App command;
  ReplayPlanFlags flags;
  add_replay_plan_flags(command, flags);
  command.parse(line);
  return replay_plan_document(flags, reason);
}

TEST_CASE("what is not given is left to the server") {
  CHECK(body_of("--group 9ad1") == R"({"selection":{"group":"9ad1"}})");
  CHECK(body_of("--group 9ad1", "fixed in version 2") ==
        R"({"selection":{"group":"9ad1"},"reason":"fixed in version 2"})");
}

TEST_CASE("every option reaches its member") {
  CHECK(
      body_of("--flow sync --rate 5 --max-rate 50.5 --ramp 2 --step 5s --concurrency 16 --canary 0 "
              "--canary-hold 2s --failure-share 10 --dry-run") ==
      R"({"selection":{"flow":"sync"},)"
      R"("rate":{"start":"5/s","max":"50.5/s","factor":2,"step":"5s","concurrency":16},)"
      R"("canary":{"count":0,"hold":"2s"},"stop":{"failureShare":10}})");
  CHECK(body_of("--flow sync --rates 5,20.5 --step 1m") ==
        R"({"selection":{"flow":"sync"},"rate":{"steps":["5/s","20.5/s"],"step":"1m"}})");
  CHECK(body_of("github#1 github#2") == R"({"selection":{"ids":["github#1","github#2"]}})");
}

TEST_CASE("a file that is not there") {
  CHECK(read_plan_file("/no/such/plan.yaml").error().code == Code::usage);
}

}  // namespace
}  // namespace weir::app
