// SPDX-License-Identifier: Apache-2.0
#include "recovery/shown.h"

#include <doctest/doctest.h>

#include "policy/redaction_tag.h"
#include "recovery/explain.h"
#include "recovery/testing/explain_desk.h"
#include "store/memory/memory_store.h"

namespace weir::recovery {
namespace {

using namespace ports::testing;
using namespace recovery::testing;

struct HidingDesk : ExplainDesk {
  HidingDesk()
      : ExplainDesk([](async::Executor executor) { return store::memory::open(executor); }) {
    redactions = policy::Redactions(
        {.rules = {{.kind = RedactionRule::Kind::attribute, .name = "subject"}}}, {}, "secret");
    config.flows[0].key_is_redacted = true;
    config.flows[0].key_secret = "secret";
  }
};

const std::string kKey = "octo/hello#17";

TEST_CASE("a key that was kept before its flow redacted keys is a tag when it is shown") {
  HidingDesk desk;
  const std::string tag = policy::key_tag("secret", kKey);
  CHECK(shown_key(desk.live, kFlow, kKey) == tag);
  CHECK(shown_key(desk.live, kFlow, tag) == tag);
  CHECK(shown_key(desk.live, kFlow, "") == "");
  desk.publish(1);
  desk.quarantine(1, ago(60));
  const std::string text = desk.text("github#1");
  CHECK(text.find("octo/hello#17") == std::string::npos);
  CHECK(text.find(tag) != std::string::npos);
  desk.add_flow(FlowId{7}, "open");
  CHECK(shown_key(desk.live, FlowId{7}, kKey) == kKey);
}

TEST_CASE("a selection's key is asked for as rows have it") {
  HidingDesk desk;
  const std::string tag = policy::key_tag("secret", kKey);
  CHECK(*key_as_stored(desk.live, Selection{.key = kKey}) == tag);
  CHECK(*key_as_stored(desk.live, Selection{.key = tag}) == tag);
  desk.add_flow(FlowId{7}, "open");
  CHECK(*key_as_stored(desk.live, Selection{.flow = "open", .key = kKey}) == kKey);
  CHECK(*key_as_stored(desk.live, Selection{.flow = "sync-issues", .key = kKey}) == tag);
  const auto either = key_as_stored(desk.live, Selection{.key = kKey});
  REQUIRE_FALSE(either.ok());
  CHECK(either.error().code == Code::invalid_argument);
  // In doubt nothing is shown.
  CHECK(shown_selection(desk.live, Selection{.key = kKey}).key == "[redacted]");
}

TEST_CASE("patterns are shown with masks") {
  HidingDesk desk;
  const Selection shown = shown_selection(
      desk.live, Selection{.flow = "sync-issues", .where = R"({"subject":["octo/hello#17"]})"});
  CHECK(shown.where == R"({"subject":["[redacted]"]})");
  CHECK(shown.flow == "sync-issues");
}

}  // namespace
}  // namespace weir::recovery
