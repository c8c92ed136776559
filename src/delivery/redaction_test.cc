// SPDX-License-Identifier: Apache-2.0
// What the delivery side keeps of events and answers under rules: keys are tags, reasons repeat
// nothing that is hidden.
#include <doctest/doctest.h>

#include "delivery/engine.h"
#include "delivery/testing/bench_top.h"
#include "policy/redaction_tag.h"

namespace weir::delivery {
namespace {

using testing::BenchTop;
using Ids = std::vector<std::string>;

constexpr const char* kHidden = "ann@example.com";

// As the reader of the configuration makes it.
Config redacting(bool redacts) {
  Config config = BenchTop::config("subject");
  config.streams.push_back({.name = "t"});
  if (redacts) {
    config.redaction.rules = {{.kind = RedactionRule::Kind::attribute, .name = "subject"}};
    config.flows[0].key_is_redacted = true;
  }
  return config;
}

int first_is_broken(const std::string& id, std::uint32_t) { return id == "h1" ? 422 : 200; }

TEST_CASE("keys are tags in rows and holds, and order goes on over restarts") {
  BenchTop top(first_is_broken);
  top.start(redacting(true));
  for (const std::string id : {"h1", "h2"}) top.publish(id, kHidden);
  top.publish("o1", "bob@example.com");
  top.settle();
  CHECK(top.served() == Ids{"h1", "o1"});
  const std::string tag = policy::key_tag("", kHidden);
  REQUIRE(top.quarantined().size() == 1);
  CHECK(top.quarantined()[0].key == tag);
  const auto holds = top.wait(top.store->deliveries().holds(top.quarantined()[0].ref.flow));
  REQUIRE(holds->size() == 1);
  CHECK(holds->front().key == tag);

  top.start(redacting(true));
  top.publish("h3", kHidden);
  top.settle();
  CHECK(top.served() == Ids{"h1", "o1"});
  Delivery row = top.quarantined()[0];
  row.state = DeliveryState::resolved;
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::PutDelivery{row});
  REQUIRE(top.wait(top.store->writer().commit(std::move(batch))).ok());
  top.engine->settled_elsewhere(row.ref, tag);
  top.settle();
  CHECK(top.served() == Ids{"h1", "o1", "h2", "h3"});
}

TEST_CASE("whether a key is redacted cannot change while keys are held") {
  for (const bool redacts : {true, false}) {
    CAPTURE(redacts);
    BenchTop top(first_is_broken);
    top.start(redacting(redacts));
    top.publish("h1", kHidden);
    top.settle();
    REQUIRE(top.quarantined().size() == 1);
    const auto refused = top.wait(top.engine->apply(redacting(!redacts)));
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().detail.find("whether it is redacted cannot change now") !=
          std::string::npos);
    Config unordered = redacting(redacts);
    unordered.flows[0].ordering_key = "";
    unordered.flows[0].key_is_redacted = false;
    const auto other = top.wait(top.engine->apply(unordered));
    REQUIRE_FALSE(other.ok());
    CHECK(other.error().detail.ends_with("it cannot change now"));
    // Other rules can.
    Config more = redacting(redacts);
    more.redaction.rules.push_back({.kind = RedactionRule::Kind::member, .name = "email"});
    CHECK(top.wait(top.engine->apply(more)).ok());
    CHECK(top.engine->redactions().of("s")->hides_data());
  }
}

TEST_CASE("what a server says about coming back is not repeated if it repeats the event") {
  BenchTop top([](const std::string&, std::uint32_t) { return 503; });
  top.headers = [](const std::string& id, std::uint32_t) {
    return std::vector<std::pair<std::string, std::string>>{
        {"retry-after", id == "e1" ? kHidden : "soon"}};
  };
  Config config = redacting(true);
  config.flows[0].policy.retry.max_attempts = 1;
  top.start(config);
  top.publish("e1", kHidden);
  top.publish("e2", "bob@example.com");
  top.settle();
  REQUIRE(top.quarantined().size() == 2);
  CHECK(top.quarantined()[0].reason.ends_with("; the server's hint is redacted"));
  CHECK(top.quarantined()[0].history.back().note.find(kHidden) == std::string::npos);
  CHECK(top.quarantined()[1].reason.find("'soon'") != std::string::npos);
}

}  // namespace
}  // namespace weir::delivery
