// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "config/testing/fault_rows.h"

namespace weir::config {
namespace {

using testing::FaultRow;

constexpr const char* kRest = R"(
version: 1
data: x
streams: { orders: {}, bills: {} }
dependencies: { d: { url: "http://127.0.0.1:1" } }
flows:
  by-mail:
    from: { stream: orders }
    to: { http: { dependency: d } }
    ordering: { key: data.customer.email }
  by-mail-too:
    from: { stream: bills }
    to: { http: { dependency: d } }
    ordering: { key: data.customer.email }
  by-subject:
    from: { stream: bills }
    to: { http: { dependency: d } }
    ordering: { key: subject }
)";

TEST_CASE("rules, and the flows whose ordering keys they hide") {
  const std::string text = std::string(kRest) + R"(
redaction:
  rules:
    - { pointer: /customer/email, streams: orders }
    - { member: card }
    - { attribute: subject, streams: [orders, bills] }
  answers: keep
)";
  const LoadOutcome loaded = load({{"w.yaml", text}}, testing::no_secrets);
  CHECK(testing::listed(loaded.problems) == "");
  REQUIRE(loaded.config);
  const RedactionSpec& spec = loaded.config->redaction;
  CHECK(spec.keep_answers);
  using Kind = RedactionRule::Kind;
  const std::vector<RedactionRule> wanted = {
      {Kind::pointer, "/customer/email", {"orders"}},
      {Kind::member, "card", {}},
      {Kind::attribute, "subject", {"orders", "bills"}},
  };
  CHECK(spec.rules == wanted);
  CHECK(loaded.config->flows[0].key_is_redacted);
  CHECK_FALSE(loaded.config->flows[1].key_is_redacted);
  CHECK(loaded.config->flows[2].key_is_redacted);
}

TEST_CASE("rules that are wrong are refused with their place") {
  const FaultRow rows[] = {
      {"redaction: { rules: { member: a } }",
       "1:21: 'rules' must be a list | rules: [ { member: email } ]"},
      {"redaction: { rule: [] }",
       "1:14: unknown setting 'rule' in 'redaction' of the configuration | did you mean 'rules'?"},
      {"redaction: { rules: [ { pointr: /a } ] }",
       "1:23: a rule has one of pointer, member or attribute | pointer: /customer/email, member: "
       "email, or attribute: subject\n"
       "1:25: unknown setting 'pointr' in a rule | did you mean 'pointer'?"},
      {"redaction: { rules: [ { pointer: a.b } ] }",
       "1:34: 'a.b' is no JSON pointer: it starts with '/' | did you mean '/a/b'?"},
      {"redaction: { rules: [ { pointer: /a, member: b } ] }",
       "1:23: a rule has one of pointer, member or attribute | pointer: /customer/email, member: "
       "email, or attribute: subject"},
      {"redaction: { rules: [ { attribute: Subject } ] }",
       "1:36: 'Subject' is no attribute name | attributes have only a-z and 0-9, for example "
       "subject; members of the data are rules with pointer or member"},
      {"redaction: { rules: [ { attribute: id } ] }",
       "1:36: 'id' cannot be redacted | Weir names, routes and reckons with it, in answers, logs "
       "and references"},
      {"redaction: { rules: [ { member: a, streams: [orders, bils] } ] }",
       "1:45: unknown stream 'bils' | did you mean 'bills'?"},
      {"redaction: { answers: hide }",
       "1:23: 'hide' is not possible for 'answers' | known: mask, keep"},
  };
  for (const FaultRow& row : rows) {
    CAPTURE(row.text);
    const std::string text = std::string(row.text) + kRest;
    const LoadOutcome loaded = load({{"w.yaml", text}}, testing::no_secrets);
    CHECK(testing::listed(loaded.problems) == row.problems);
  }
}

}  // namespace
}  // namespace weir::config
