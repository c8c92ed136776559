// SPDX-License-Identifier: Apache-2.0
// What gets a retry storm out of its loop, from best to worst, and what Weir's defaults make of it
// and of the other published settings.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "published.h"
#include "sim/run.h"

namespace weir::scenarios {
namespace {

double recovery(const std::vector<std::string>& settings) {
  const auto runs = runs_of("retry-storm", settings, 1);
  return recoveries(runs).front();
}

TEST_CASE(
    "after an outage: LIFO at once, then a bounded queue, then late dropping, then a budget") {
  const std::string budget =
      "policies.one retry.retryConstraint={budget: {percent: 5}, minRetryRate: {count: 0}, "
      "tokens: {capacity: 0}}";
  const double lifo = recovery({"dependencies.server.server.queue=lifo"});
  const double abandons = recovery({"dependencies.server.server.abandons=true"});
  const double bounded = recovery({"dependencies.server.server.queueSize=250"});
  const double drops = recovery({"lasts=300s", "dependencies.server.server.dropsExpired=true"});
  const double small = recovery({"lasts=900s", budget});
  MESSAGE("lifo " << lifo << ", abandons " << abandons << ", bounded " << bounded << ", drops "
                  << drops << ", budget of 5 % " << small << " s");
  CHECK(lifo >= 0);
  CHECK(lifo < 1);
  CHECK(abandons < bounded);
  CHECK(bounded < drops);
  CHECK(drops < small);
}

TEST_CASE("backoff alone does not get out of it, even with a long full jitter") {
  const std::string backoff =
      "policies.one retry.retry.backOff={baseInterval: 10s, maxInterval: 60s, jitter: full}";
  CHECK(none_recovers(runs_of("retry-storm", {"lasts=200s", backoff}, 1)));
}

TEST_CASE("a budget per client weakens as clients multiply, until it is a plain retry") {
  const std::vector<std::string> one = {
      "lasts=100s",
      "policies.one retry.retryConstraint={budget: {percent: 5}, minRetryRate: {count: 1}, "
      "tokens: {capacity: 0}}"};
  std::vector<std::string> many = one;
  many.emplace_back("dependencies.server.instances=300");
  const double shared = runs_of("retry-storm", one, 1).front().totals.late_amplification;
  const double split = runs_of("retry-storm", many, 1).front().totals.late_amplification;
  MESSAGE("calls per event: " << shared << " with one budget, " << split << " with 300");
  CHECK(shared < 1.07);
  CHECK(split > 1.7);
}

// Safe up to 0.8 of capacity x timeout, gone at the whole of it.
TEST_CASE("pull workers: a pause passes with 240 of 300, and lasts for ever with 300") {
  const auto workers = [](const std::string& count) {
    return runs_of("pull-workers",
                   {"lasts=90s", "policies.workers.concurrency.maxParallelRequests=" + count}, 3);
  };
  const auto few = workers("240");
  CHECK(all_recover(few));
  CHECK(recoveries(few).back() <= 15);
  CHECK(none_recovers(workers("300")));
}

TEST_CASE("pull workers: with a receive limit the collapse becomes a flood into quarantine") {
  const std::vector<std::string> five = {"lasts=120s", "policies.workers.retry.maxAttempts=5"};
  const auto flood = runs_of("pull-workers", five, 1).front();
  MESSAGE(flood.totals.quarantined << " of " << flood.totals.events << " events in quarantine");
  CHECK(flood.totals.quarantined > flood.totals.events / 4);
  std::vector<std::string> braked = five;
  braked.emplace_back("policies.workers.deadLetterBrake.enabled=true");
  const auto stopped = runs_of("pull-workers", braked, 1).front();
  CHECK(stopped.verdict.ending == sim::Ending::paused);
  CHECK(stopped.totals.quarantined < flood.totals.quarantined);
}

TEST_CASE("every published scenario does what it says, and so does its load with Weir in between") {
  for (const char* name : {"retry-storm", "retry-storm-weir", "clients", "clients-weir",
                           "pull-workers", "pull-workers-weir"}) {
    for (const sim::RunResult& run : runs_of(name, {}, 2)) {
      for (const sim::Check& check : run.checks) {
        CAPTURE(name);
        CAPTURE(check.name);
        CAPTURE(check.measured);
        CHECK(check.met);
      }
      CHECK_FALSE(run.checks.empty());
    }
  }
}

}  // namespace
}  // namespace weir::scenarios
