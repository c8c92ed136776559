// SPDX-License-Identifier: Apache-2.0
#include "config/diff.h"

#include <doctest/doctest.h>

namespace weir::config {
namespace {

Config sample() {
  Config config;
  config.streams = {{.name = "orders"}, {.name = "audit"}};
  config.dependencies = {{.name = "mail", .url = "http://mail", .headers = {{"Auth", "s3cret"}}}};
  config.flows = {{.name = "confirm", .stream = "orders", .dependency = "mail"}};
  config.failure_modes = {{.name = "no-inbox", .status = {422}}};
  return config;
}

TEST_CASE("what differs is named, one line each") {
  const Config before = sample();
  CHECK(diff(before, before) == "");

  Config after = before;
  after.listen_port = 1;
  after.data = "elsewhere";
  after.limits.batch_events = 5;
  after.egress.deny = {"10.0.0.0/8"};
  after.streams[0].retention = std::chrono::hours{1};
  after.streams.erase(after.streams.begin() + 1);
  after.streams.push_back({.name = "invoices"});
  after.dependencies[0].headers[0].second = "an0ther";
  after.flows[0].policy.retry.max_attempts = 9;
  after.failure_modes.clear();
  CHECK(diff(before, after) ==
        "listen changed (takes effect at the next start)\n"
        "data changed (takes effect at the next start)\n"
        "limits changed\n"
        "egress changed\n"
        "stream orders changed\n"
        "stream audit removed\n"
        "stream invoices added\n"
        "dependency mail changed\n"
        "flow confirm changed\n"
        "failure mode no-inbox removed\n");
  CHECK(diff(after, before).find("s3cret") == std::string::npos);
  CHECK(diff(Config{}, before) ==
        "stream orders added\nstream audit added\ndependency mail added\nflow confirm added\n"
        "failure mode no-inbox added\n");
}

TEST_CASE("what a reload cannot change is said so") {
  Config after = sample();
  after.limits.disk_free_min_bytes += 1;
  CHECK(diff(sample(), after) == "limits.diskFreeMin changed (takes effect at the next start)\n");
  after.limits.body_bytes += 1;
  CHECK(diff(sample(), after).ends_with("next start)\nlimits changed\n"));
}

TEST_CASE("who may ask is told when it changes") {
  Config after = sample();
  after.access.open = true;
  CHECK(diff(sample(), after) == "access.open changed (takes effect at the next start)\n");
  after = sample();
  after.access.certificates.push_back({"CN:anna", "anna", {Role::viewer}});
  CHECK(diff(sample(), after) == "access.certificates changed\n");
  after = sample();
  after.listen_tls = {.certificate = "c", .key = "k"};
  CHECK(diff(sample(), after) == "listen changed (takes effect at the next start)\n");
  Config later = after;
  later.listen_tls.key = "l";
  CHECK(diff(after, later) == "listen.tls changed\n");
}

TEST_CASE("another key file is a change, without its name") {
  Config after = sample();
  after.encryption.key_file = "/keys/new";
  CHECK(diff(sample(), after) == "encryption changed\n");
}

TEST_CASE("order does not count as a difference") {
  Config after = sample();
  std::swap(after.streams[0], after.streams[1]);
  CHECK(diff(sample(), after) == "");
}

}  // namespace
}  // namespace weir::config
