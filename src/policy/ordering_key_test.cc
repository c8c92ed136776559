// SPDX-License-Identifier: Apache-2.0
#include "policy/ordering_key.h"

#include "policy/testing/property.h"

namespace weir::policy {
namespace {

Event sample() {
  Event event;
  event.id = "1";
  event.source = "urn:src";
  event.type = "com.example.t";
  event.subject = "octo/hello#17";
  event.extensions = {{"partitionkey", "p7"}};
  event.data = R"({"a":{"b":"x","n":1.50,"t":true,"z":null,"o":{},"l":[1],"e":""},"s":"t"})";
  event.has_data = true;
  return event;
}

TEST_CASE("attributes, extensions and paths into the payload") {
  struct Case {
    const char* spec;
    const char* wanted;
  };
  const Case cases[] = {
      {"", ""},
      {"subject", "octo/hello#17"},
      {"source", "urn:src"},
      {"type", "com.example.t"},
      {"id", "1"},
      {"partitionkey", "p7"},
      {"unknown", ""},
      {"time", ""},
      {"data.s", "t"},
      {"data.a.b", "x"},
      {"data.a.n", "1.50"},
      {"data.a.t", "true"},
      {"data.a.z", ""},
      {"data.a.o", ""},
      {"data.a.l", ""},
      {"data.a.e", ""},
      {"data.a.b.c", ""},
      {"data.missing", ""},
      {"data.", ""},
      {"data..", ""},
  };
  for (const auto& row : cases) {
    CAPTURE(row.spec);
    CHECK(ordering_key(sample(), row.spec) == row.wanted);
  }
}

TEST_CASE("a payload that is absent, broken or not JSON is unordered") {
  Event event = sample();
  event.data = R"({"s":)";
  CHECK(ordering_key(event, "data.s").empty());
  event.data = "[1]";
  CHECK(ordering_key(event, "data.s").empty());
  event = sample();
  event.datacontenttype = "text/plain";
  CHECK(ordering_key(event, "data.s").empty());
  event = sample();
  event.has_data = false;
  event.data = {};
  CHECK(ordering_key(event, "data.s").empty());
}

TEST_CASE("long keys are replaced by their digest") {
  const std::string long_a(kOrderingKeyMax + 1, 'a');
  const std::string long_b(kOrderingKeyMax + 1, 'b');
  const std::string fits(kOrderingKeyMax, 'a');
  Event event = sample();
  event.subject = fits;
  CHECK(ordering_key(event, "subject") == fits);
  event.subject = long_a;
  const std::string a = ordering_key(event, "subject");
  event.subject = long_b;
  const std::string b = ordering_key(event, "subject");
  CHECK(a.starts_with("sha256:"));
  CHECK(a.size() <= kOrderingKeyMax);
  CHECK(a != b);
}

}  // namespace
}  // namespace weir::policy
